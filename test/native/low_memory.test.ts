/** Memory 'low': the same bits as without, from a smaller arena. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import * as models from '../../src/models/index.js'
import { build } from '../../src/models/registry.js'
import { sgd } from '../../src/optim/index.js'
import { Plan } from '../../src/runtime/plan.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import { Store } from '../../src/runtime/store.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import { trainingDesc } from '../graph/training_desc.js'
import { shallow } from '../models/shallow.js'
import { digest, source, train } from '../train/training.js'
import { testedDevices } from './helpers.js'

/** Each with something of its own: tiled regions, bottlenecks with projections, dropout, placed concats, a pool before each stage. */
const networks = [
  { name: 'resnet20', options: {}, batchSize: 150, size: 32 },
  { name: 'resnet50', options: { width: 16 }, batchSize: 4, size: 32 },
  { name: 'wrn_16_2', options: { dropout: 0.3 }, batchSize: 8, size: 16 },
  { name: 'densenet_bc_22_6', options: { dropout: 0.2 }, batchSize: 8, size: 16 },
  { name: 'vgg11_bn', options: { width: 8, headSize: 1 }, batchSize: 4, size: 32 },
] as const

interface Run {
  readonly name: string
  readonly options: models.ModelOptions
  readonly batchSize: number
  readonly size: number
}

/** Three steps, and all that they leave. */
async function trained({ name, options, batchSize, size }: Run, erased: boolean, how: Partial<TrainerOptions>) {
  const model = models.create(name, { ...options, numClasses: 4, seed: 3 })
  if (erased) eraseReLU(model)
  const data = source(3 * batchSize, [size, size, 3])
  const { losses, weights } = await train(model, { data, batchSize, ...how })
  return { steps: losses.length, losses: digest(losses), weights: digest(weights) }
}

describe.each([false, true])('erased: %o', erased => {
  test.each(networks)('$name trains to the same bits', async network => {
    const [low, normal] = [await trained(network, erased, { memory: 'low' }), await trained(network, erased, {})]
    expect(low.steps).toBe(3)
    expect(low).toEqual(normal)
  })

  test.each(['reference', ...testedDevices])('on %s, with microbatches and unfused too', async device => {
    const network = { name: 'wrn_10_1', options: { dropout: 0.3 }, batchSize: 4, size: 8 }
    for (const how of [{ device }, { device, accumulate: 3 }, { device, disabledPasses: ['fuse'] as const }]) {
      const [low, normal] = [await trained(network, erased, { ...how, memory: 'low' }), await trained(network, erased, how)]
      expect(low.steps).toBe(how.accumulate ? 1 : 3)
      expect(low).toEqual(normal)
    }
  })
})

const arenaOf = async (desc: PlanDesc) => {
  using store = await Store.create('cpu', {})
  using plan = await Plan.create(desc, store)
  return plan.memory.arena
}

describe('the planned arena', () => {
  test.each([false, true])('of ResNet-50 on 16 images of 224x224 is at most 0.72 of the normal one; erased: %o', async erased => {
    const model = build('resnet50', { numClasses: 10 })
    if (erased) eraseReLU(model)
    const [low, normal] = (['low', 'normal'] as const).map(memory => trainingDesc(model, [16, 224, 224, 3], { memory }))
    expect((await arenaOf(low!)) / (await arenaOf(normal!))).toBeLessThanOrEqual(0.72)
  })

  test.each(shallow)('of $name is smaller', async ({ name, options, size }) => {
    const model = build(name, { ...options, numClasses: 10 })
    for (const disabledPasses of [[], ['tile']] as const) {
      const desc = (memory: 'low' | 'normal') => trainingDesc(model, [32, size, size, 3], { memory, disabledPasses })
      expect(await arenaOf(desc('low'))).toBeLessThan(await arenaOf(desc('normal')))
    }
  })
})

test('a trainer tells what it gives and costs', async () => {
  const make = (memory?: 'low' | 'normal') =>
    new Trainer(models.create('resnet20', { numClasses: 4 }), {
      data: source(16),
      batchSize: 16,
      epochs: 1,
      optimizer: sgd({ lr: 0.1 }),
      disabledPasses: ['own-convolutions'],
      ...(memory && { memory }),
    })
  await using low = make('low')
  await using normal = make('normal')
  await using usual = make()
  const [less, more] = [await low.memory(), await normal.memory()]
  expect(less.planned).toBeLessThan(more.planned)
  // The counted bytes are those of the device's plan, but for scratchpads, large in Winograd's convolutions, and what kernels write in place.
  expect(less.low).toMatchObject({ operations: 13 })
  expect(less.low!.alive / less.livePeak).toBeCloseTo(1, 1)
  expect(less.low!.aliveNormally / more.livePeak).toBeCloseTo(1, 1)
  expect(await usual.memory()).toEqual(more)
  expect(more.low).toBeUndefined()
})
