// ResNet-50 as an ONNX file, from the tensors of a safetensors file of this package: input x [N, 3, H, W], output y [N, 1000].
import type { StoredTensor } from '../../../src/interop/safetensors.js'
import { OnnxGraph } from './onnx_file.js'

export type Weights = ReadonlyMap<string, StoredTensor>

export function resnet50(weights: Weights, batch: number, size: number): Uint8Array {
  const graph = new OnnxGraph()
  const constant = (name: string) => {
    const { shape, data } = channelsFirst(weights.get(name)!)
    return graph.constant(name, shape, data)
  }
  const relu = (x: string) => graph.node('Relu', [x])
  const convBn = (x: string, conv: string, bn: string, kernel: number, stride: number) => {
    const pad = (kernel - 1) / 2
    const y = graph.node('Conv', [x, constant(`${conv}.weight`)], { strides: [stride, stride], pads: [pad, pad, pad, pad] })
    const statistics = ['weight', 'bias', 'running_mean', 'running_var'].map(part => constant(`${bn}.${part}`))
    return graph.node('BatchNormalization', [y, ...statistics])
  }
  const bottleneck = (x: string, path: string, stride: number, projects: boolean) => {
    const a = relu(convBn(x, `${path}.conv1`, `${path}.bn1`, 1, 1))
    const b = relu(convBn(a, `${path}.conv2`, `${path}.bn2`, 3, stride))
    const c = convBn(b, `${path}.conv3`, `${path}.bn3`, 1, 1)
    const shortcut = projects ? convBn(x, `${path}.downsample.0`, `${path}.downsample.1`, 1, stride) : x
    return relu(graph.node('Add', [c, shortcut]))
  }

  const stem = relu(convBn('x', 'conv1', 'bn1', 7, 2))
  let y = graph.node('MaxPool', [stem], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    for (let i = 0; i < blocks; i++) y = bottleneck(y, `layer${stage + 1}.${i}`, i === 0 && stage > 0 ? 2 : 1, i === 0)
  }
  y = graph.node('Flatten', [graph.node('GlobalAveragePool', [y])])
  y = graph.node('Gemm', [y, constant('fc.weight'), constant('fc.bias')], { transB: 1 })
  return graph.encode({ name: 'x', shape: [batch, 3, size, size] }, { name: y, shape: [batch, 1000] })
}

/** [K, R, S, C] as [K, C, R, S]; other tensors as they are. */
export function channelsFirst({ shape, data }: StoredTensor): { shape: readonly number[]; data: Float32Array } {
  if (shape.length !== 4) return { shape, data: Float32Array.from(data as Float32Array) }
  const [k = 0, r = 0, s = 0, c = 0] = shape
  const turned = new Float32Array(data.length)
  for (let i = 0, at = 0; i < k * c; i++) {
    const start = Math.floor(i / c) * r * s * c + (i % c)
    for (let j = 0; j < r * s; j++) turned[at++] = Number(data[start + j * c])
  }
  return { shape: [k, c, r, s], data: turned }
}
