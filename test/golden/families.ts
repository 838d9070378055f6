/** The networks of families.safetensors as this package builds them, and the weights that both sides compute. */
import crc32 from 'crc-32'
import type { EraseOptions } from '../../src/erase.js'
import type { Tensor } from '../../src/graph/tensor.js'
import * as models from '../../src/models/index.js'
import { GlobalAvgPool, Linear, Module } from '../../src/nn/index.js'

/** Three Inception modules: with average pooling, of stride 2, and with max-pooling. */
class InceptionModules extends Module {
  stem = new models.ConvBNReLU(3, 8, 3, 1, false)
  a = new models.Inception(8, { one: 4, three: [4, 6], double: [4, 6], pool: 4, pooling: 'average' }, false)
  b = new models.Inception(20, { one: 0, three: [4, 6], double: [4, 6], pool: 0, pooling: 'max' }, false)
  c = new models.Inception(32, { one: 4, three: [4, 6], double: [4, 6], pool: 4, pooling: 'max' }, false)
  pool = new GlobalAvgPool()
  fc = new Linear(20, 10)

  forward(x: Tensor): Tensor {
    return this.fc(this.pool(this.c(this.b(this.a(this.stem(x))))))
  }
}

const vgg = { width: 4, convBias: false }

export const networks: Readonly<Record<string, () => Module>> = {
  resnet11_bottleneck: () => new models.CifarResNet(11, { block: 'bottleneck', shortcut: 'B', width: 4 }),
  resnet18: () => new models.ResNet(18, { width: 8, numClasses: 10 }),
  preact_resnet14: () => new models.CifarPreActResNet(14, { width: 8 }),
  preact_resnet11_bottleneck: () => new models.CifarPreActResNet(11, { block: 'bottleneck', width: 4 }),
  preact_resnet18: () => new models.PreActResNet(18, { width: 8, numClasses: 10 }),
  wrn_10_2: () => new models.WideResNet(10, 2),
  resnext11_2x2d: () => new models.CifarResNeXt(11, 2, 2),
  densenet_bc_16_4: () => new models.DenseNet(models.cifarDenseNet(16, 4, true)),
  densenet_10_4: () => new models.DenseNet(models.cifarDenseNet(10, 4, false)),
  inception_modules: () => new InceptionModules(),
  vgg11_bn: () => new models.VGG(11, { ...vgg, numClasses: 10, headSize: 1, dropout: 0 }),
  vgg16_bn_cifar: () => new models.CifarVGG(16, vgg),
}

/** How the erased arm is erased, where not by the plain rule. */
export const rules: Readonly<Record<string, EraseOptions>> = { densenet_10_4: { proportion: 0.5, allowLinear: true } }

/** Integers of 32 bits by position: the same for the same name (generate/families.py). */
export function words(name: string, count: number): Uint32Array {
  const start = crc32.str(name) >>> 0
  return Uint32Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(i, 0x9e3779b1) + start) >>> 0
    x = (x ^ (x >>> 15)) >>> 0
    x = Math.imul(x, 0x85ebca77) >>> 0
    return (x ^ (x >>> 13)) >>> 0
  })
}

/** Fills filters and matrices evenly in ±sqrt(6 / fan-in), scales in 1 ± ½, shifts in ±½, by position and name. */
export function fill(model: Module): void {
  model.assignNames()
  for (const parameter of model.parameters()) {
    if (!parameter.trainable) continue
    const { name, shape, size, data } = parameter
    const scale = Math.sqrt(6 / shape.slice(1).reduce((product, dim) => product * dim, 1))
    const all = words(name, size)
    for (let i = 0; i < size; i++) {
      const u = (all[i]! / 2 ** 32) * 2 - 1
      data[i] = shape.length > 1 ? u * scale : name.endsWith('weight') ? 1 + u / 2 : u / 2
    }
  }
}
