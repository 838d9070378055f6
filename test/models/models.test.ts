import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { f32 } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import * as models from '../../src/models/index.js'
import { build } from '../../src/models/registry.js'

const options = { numClasses: 7, inChannels: 2 }
const resnet50 = new models.ResNet(50, options)

describe('registry', () => {
  test('list, with and without a pattern', () => {
    const names = models.list()
    expect(names.slice(0, 5)).toEqual([
      'bn_inception',
      'densenet_40_12',
      'densenet_100_12',
      'densenet_100_24',
      'densenet_bc_40_12',
    ])
    expect(names).toHaveLength(new Set(names).size)
    expect(models.list('resnet5*')).toEqual(['resnet50', 'resnet56'])
    expect(models.list('resnext*')).toEqual([
      'resnext29_8x64d',
      'resnext29_16x64d',
      'resnext29_32x4d',
      'resnext50_32x4d',
      'resnext101_32x4d',
      'resnext101_32x8d',
      'resnext101_64x4d',
    ])
    expect(models.list('*net.0')).toEqual([])
  })

  test('a model has the name it is found by', () => {
    for (const name of models.list()) expect(build(name).modelName).toBe(name)
    for (const name of ['wrn_22_2', 'resnext29_4x8d', 'densenet_22_6', 'densenet_bc_22_6'])
      expect(build(name).modelName).toBe(name)
  })

  test('a model knows its name, options, classes and channels', () => {
    const model = models.create('resnet20', { numClasses: 100, inChannels: 1, seed: 3 })
    expect([model.modelName, model.numClasses, model.inChannels]).toEqual(['resnet20', 100, 1])
    expect(model.options).toEqual({ numClasses: 100, inChannels: 1, shortcut: 'A', width: 16, block: 'basic' })
  })

  test('register', () => {
    models.register('tiny', ({ width }) => new models.CifarResNet(8, { width: width as number }))
    expect(models.create('tiny', { width: 4 }).numClasses).toBe(10)
    expect(models.list('tiny')).toEqual(['tiny'])
    expect(() => models.register('tiny', () => new models.CifarResNet(8))).toThrow(/already/)
  })

  test.each<[string, models.ModelOptions, RegExp]>([
    ['resnet-20', {}, /no model is called 'resnet-20'. Did you mean 'resnet20'/],
    ['resnet20', { numclasses: 100 }, /resnet20: unknown option 'numclasses'. Did you mean 'numClasses'/],
    ['resnet18', { shortcut: 'A' }, /resnet18: unknown option 'shortcut'/],
    ['resnet20', { shortcut: 'C' }, /shortcut must be one of A, B, got 'C'/],
    ['resnet20', { numClasses: 0 }, /numClasses must be an integer of at least 1/],
    ['resnet20', { seed: 1.5 }, /seed/],
    ['resnet18', { strideIn: '1x1' }, /resnet18: unknown option 'strideIn'/],
    ['wrn_29_2', {}, /WideResNet: depth must be 6n \+ 4 \(10, 16, 22, …\) with basic blocks, got 29/],
    ['densenet_bc_41_12', {}, /densenet_bc_41_12: depth must be 6n \+ 4/],
    ['vgg16_bn', { headSize: 0 }, /vgg16_bn: headSize/],
  ])('create(%s, %o) is refused', (name, options, message) => {
    expect(() => models.create(name, options)).toThrow(message)
  })

  test('depth must be 6n + 2', () => {
    expect(() => new models.CifarResNet(21)).toThrow(/depth must be 6n \+ 2/)
  })
})

test('the same seed gives the same weights, erased or not', () => {
  const weights = (seed: number) =>
    models
      .create('resnet20', { seed })
      .parameters()
      .map(({ data }) => data)
  const erased = models.create('resnet20', { seed: 5 })
  eraseReLU(erased)
  expect(erased.parameters().map(({ data }) => data)).toEqual(weights(5))
  expect(weights(6)).not.toEqual(weights(5))
})

test('names are those of common PyTorch implementations', () => {
  const cifar = [...models.create('resnet20', { shortcut: 'B' }).stateDict().keys()]
  expect(cifar.slice(0, 6)).toEqual([
    'conv1.weight',
    'bn1.weight',
    'bn1.bias',
    'bn1.running_mean',
    'bn1.running_var',
    'layer1.0.conv1.weight',
  ])
  expect(cifar).toContain('layer2.0.downsample.0.weight')
  expect(cifar.slice(-2)).toEqual(['fc.weight', 'fc.bias'])
  const large = [...resnet50.stateDict().keys()]
  expect(large).toHaveLength(53 + 53 * 4 + 2)
  expect(large).toContain('layer1.0.downsample.1.running_var')
  expect(large).toContain('layer4.2.bn3.weight')
})

test.each([new models.CifarResNet(20, options), new models.CifarResNet(8, { ...options, shortcut: 'B', width: 4 }), resnet50])(
  '$modelName takes any image size',
  model => {
    for (const [height, width] of [
      [16, 16],
      [33, 47],
    ] as const) {
      const trace = new Trace(true)
      const y = withTrace(trace, () => model(trace.input('x', f32([2, height, width, 2]))))
      expect(y.shape).toEqual([2, 7])
      expect(trace.named.has('layer2.0.relu2')).toBe(true)
    }
  },
)

test.each([
  [224, 224],
  [225, 299],
  [33, 47],
  [7, 16],
])('BN-Inception takes images of %dx%d: the branches of a module have one size, odd maps too', (height, width) => {
  const model = new models.BNInception({ numClasses: 7, inChannels: 2 })
  const trace = new Trace(true)
  expect(withTrace(trace, () => model(trace.input('x', f32([2, height, width, 2])))).shape).toEqual([2, 7])
  // The stem's poolings round down, every other layer of stride 2 up.
  const entered = [height, width].map(size => Math.floor(Math.floor(Math.ceil(size / 2) / 2) / 2))
  const halved = entered.map(size => Math.ceil(size / 2))
  expect(trace.lookup('inception3c.branch4.0').shape.slice(1, 3)).toEqual(halved)
  expect(trace.lookup('inception4e.branch4.0').shape.slice(1, 3)).toEqual(halved.map(size => Math.ceil(size / 2)))
})

test('a batch with other channels is refused with the name of the layer', () => {
  expect(() => models.summarize(models.create('resnet20'), [1, 32, 32, 1])).toThrow(/^conv1 \(conv2d\): the input has 1 channels/)
})

test('the summary has a line for each layer', () => {
  const { layers } = models.summarize(new models.CifarResNet(8), [2, 32, 32, 3])
  expect(layers[0]).toEqual({ name: 'conv1', type: 'Conv2d', output: [2, 32, 32, 16], parameters: 432, macs: 2 * 32 * 32 * 432 })
  expect(layers.at(-1)).toEqual({ name: 'fc', type: 'Linear', output: [2, 10], parameters: 650, macs: 1280 })
})
