/** What this machine reaches at best: bytes a second of an addition, floating-point operations a second of convolutions. */
import { costsOf } from '../graph/cost.js'
import { Graph, type Attributes, type Operands } from '../graph/graph.js'
import { activationType, type Precision } from '../graph/precision.js'
import { serialise } from '../graph/serialise.js'
import type { TensorType } from '../graph/tensor.js'
import { policyOf } from '../runtime/policy.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { measureStep } from './measured_step.js'

export interface Peaks {
  /** Bytes a second: the best run of adding two tensors of 64 MiB, which no cache holds. */
  readonly bandwidth: number
  /** Floating-point operations a second: the best run of a 3x3 and a 1x1 convolution of many channels. */
  readonly rate: number
}

const convolution = { stride: [1, 1], dilation: [1, 1], groups: 1, activation: 'identity' } as const

export async function measurePeaks(device: string, precision: Precision): Promise<Peaks> {
  const dtype = activationType(precision)
  const type = (...shape: number[]): TensorType => ({ dtype, shape })
  const large = type((64 << 20) / (dtype === 'f32' ? 4 : 2))

  /** Bytes and floating-point operations a second of one operation. */
  async function best(
    op: 'add' | 'conv2d',
    operands: Readonly<Record<string, TensorType>>,
    attributes: Attributes,
    y: TensorType,
  ) {
    const graph = new Graph()
    // On the device before the first run, and not brought back: only the operation itself is measured.
    const reads = Object.entries(operands).map(([name, type]) => [name, graph.source(type, name, { kind: 'resident', name })])
    graph.add(op, 'peak', Object.fromEntries(reads) as Operands, attributes, { y })
    const layout = new StoreLayout([])
    const plain = { checked: false, parameters: 'weights', regions: [], wholeStep: new Set<never>() } as const
    // Direct: Winograd's algorithm does fewer multiplications than are counted.
    const desc = serialise(graph, { ...plain, device, layout, policy: policyOf({}, { ownConvolutions: false }) })
    const { nodes } = await measureStep({ desc, layout, arenas: {} }, { steps: 7, warmup: 2, precision })
    const [{ bytes, flops }] = costsOf(desc) as [ReturnType<typeof costsOf>[number]]
    const seconds = nodes[0]!.min / 1000
    return { bandwidth: bytes / seconds, rate: flops / seconds }
  }

  const { bandwidth } = await best('add', { a: large, b: large }, {}, large)
  const wide = type(16, 28, 28, 128)
  const wider = type(16, 28, 28, 256)
  const rates = [
    await best('conv2d', { x: wide, w: type(128, 3, 3, 128) }, { ...convolution, pad: [1, 1, 1, 1] }, wide),
    await best('conv2d', { x: wider, w: type(256, 1, 1, 256) }, { ...convolution, pad: [0, 0, 0, 0] }, wider),
  ]
  return { bandwidth, rate: Math.max(...rates.map(({ rate }) => rate)) }
}
