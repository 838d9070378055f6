/** Tensors that live within one tiled region take memory for one chunk of it: the same bits, and less memory where a batch of them would need its own. */
import { describe, expect, test } from 'vitest'
import type { PassName } from '../../src/graph/passes/optional.js'
import { cifarDenseNet, DenseNet } from '../../src/models/densenet.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { CifarResNeXt } from '../../src/models/resnext_cifar.js'
import { initialize } from '../../src/nn/index.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { trainingDesc } from '../graph/training_desc.js'
import { digest, source, train } from '../train/training.js'
import { missingType } from './helpers.js'

const numClasses = 4
const networks = [
  { name: 'a ResNet', images: 160, make: () => initialize(new CifarResNet(8, { numClasses }), 1) },
  { name: 'a ResNeXt', images: 16, make: () => initialize(new CifarResNeXt(11, 4, 4, { numClasses }), 1) },
  { name: 'a DenseNet', images: 160, make: () => initialize(new DenseNet(cifarDenseNet(10, 12, true), { numClasses }), 1) },
]
const without: readonly PassName[] = ['chunk-memory']

async function arenaOf(desc: ReturnType<typeof trainingDesc>) {
  using store = await Store.create('cpu', {})
  using plan = await Plan.create(desc, store)
  return plan.memory.arena
}

// Those of a ResNeXt are gradients, which would else lie where those lie that they come from.
test.each(networks.filter(({ name }) => name !== 'a ResNeXt'))('$name takes less memory', async ({ images, make }) => {
  const desc = (disabledPasses: readonly PassName[]) =>
    trainingDesc(make(), [images, 32, 32, 3], { numClasses, memory: 'low', disabledPasses })
  expect(desc([]).regions.length).toBeGreaterThan(1)
  expect(await arenaOf(desc([]))).toBeLessThan(await arenaOf(desc(without)))
})

describe.each(networks)('$name', ({ images, make }) => {
  test.for([
    { memory: 'normal', precision: 'f32' },
    { memory: 'low', precision: 'f32' },
    { memory: 'low', precision: 'bf16' },
  ] as const)('trains to the same bits, $precision, memory $memory', async (how, { skip }) => {
    const missing = missingType('cpu', how.precision)
    skip(missing !== undefined, missing)
    const data = source(2 * images, [32, 32, 3])
    const run = async (disabledPasses: readonly PassName[]) => {
      const { losses, weights } = await train(make(), { data, batchSize: images, ...how, disabledPasses }, 2)
      return { losses: digest(losses), weights: digest(weights) }
    }
    expect(await run([])).toEqual(await run(without))
  })
})
