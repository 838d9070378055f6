/**
 * Every pass that can be left out: its plan is another one, and the numbers are those of the plan with it. Of tiling: plan_tiled.test.ts;
 * of memory for a chunk: chunk_memory.test.ts.
 */
import { describe, expect, test } from 'vitest'
import type { PassName } from '../../src/graph/passes/optional.js'
import { compile, inferencePlan } from '../../src/graph/session.js'
import { cifarDenseNet, DenseNet } from '../../src/models/densenet.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { CifarResNeXt } from '../../src/models/resnext_cifar.js'
import { initialize, type Module } from '../../src/nn/index.js'
import { trainingDesc } from '../graph/training_desc.js'
import { difference, source, train } from '../train/training.js'

const images = 64
const shape = [images, 16, 16, 3]
const residual = () => initialize(new CifarResNet(8, { numClasses: 4 }), 1)
const dense = () => initialize(new DenseNet(cifarDenseNet(22, 12, true), { numClasses: 4 }), 1)
/** 4, 8 and 16 channels a group. */
const grouped = () => initialize(new CifarResNeXt(11, 4, 4, { numClasses: 4 }), 1)

/** The networks that a pass has something to do in. */
const networks = {
  'fold-batch-norm': [residual],
  fuse: [residual],
  'place-concats': [dense],
  recompute: [dense],
  'own-convolutions': [residual, grouped],
} satisfies Partial<Record<PassName, (() => Module)[]>>
const withNetworks = (...names: (keyof typeof networks)[]) =>
  names.flatMap(name => networks[name].map(make => ({ name, make, network: make.name })))
const inTraining = withNetworks('fuse', 'place-concats', 'recompute', 'own-convolutions')
const inInference = withNetworks('fold-batch-norm', 'fuse', 'place-concats', 'own-convolutions')

describe.each(inTraining)('a training without $name: $network', ({ name, make }) => {
  test('has another plan', () => {
    const desc = (disabledPasses: PassName[]) => trainingDesc(make(), shape, { numClasses: 4, disabledPasses })
    expect(desc([name])).not.toEqual(desc([]))
  })

  // Sums may be added up in another order, and each step multiplies the rounding of the one before.
  test('gives the same losses and weights', async () => {
    const data = source(2 * images, [16, 16, 3])
    const [without, all] = [
      await train(make(), { data, batchSize: images, disabledPasses: [name] }, 2),
      await train(make(), { data, batchSize: images }, 2),
    ]
    expect(difference(without.losses, all.losses)).toBeLessThan(1e-5)
    expect(difference(without.weights, all.weights)).toBeLessThan(1e-4)
  })
})

test.each(inInference)('an inference without $name gives the same numbers by another plan: $network', async ({ name, make }) => {
  const model = make()
  const inputs = { x: { shape } }
  const x = Float32Array.from({ length: images * 16 * 16 * 3 }, (_, i) => Math.sin(i))
  const descs = [[], [name]].map((disabledPasses: PassName[]) => inferencePlan(model, { inputs, disabledPasses }).desc)
  expect(descs[1]).not.toEqual(descs[0])
  using all = await compile(model, { inputs })
  using without = await compile(model, { inputs, disabledPasses: [name] })
  const [a, b] = [await all.run({ x }), await without.run({ x })]
  expect(difference(a.output!.data as Float32Array, b.output!.data as Float32Array)).toBeLessThan(1e-5)
})
