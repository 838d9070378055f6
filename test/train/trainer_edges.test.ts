/** Uses of the trainer that once went wrong without a word. */
import { describe, expect, test } from 'vitest'
import * as data from '../../src/data/index.js'
import { create } from '../../src/models/index.js'
import { ema, sgd } from '../../src/optim/index.js'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import type { TrainingEvent } from '../../src/train/events.js'
import { pictures, Plain, source, train, weightsOf } from './training.js'

const optimizer = sgd({ lr: 0.05 })

async function eventsOf(trainer: Trainer): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = []
  for await (const event of trainer.fit()) events.push(event)
  return events
}

test('an option that is undefined is one that was left out', async () => {
  const left = {
    schedule: undefined,
    accumulate: undefined,
    clipGradNorm: undefined,
    device: undefined,
    disabledPasses: undefined,
  }
  const { losses } = await train(new Plain(), { data: source(24), ...(left as unknown as Partial<TrainerOptions>) })
  expect(losses).toEqual((await train(new Plain(), { data: source(24) })).losses)
  expect(losses.length).toBe(3)
})

test('what is trained is what was trainable when the trainer was made', async () => {
  const [model, twin] = [new Plain(), new Plain()]
  await using trainer = new Trainer(model, { data: source(16), batchSize: 8, epochs: 1, optimizer })
  model.parameters()[2]!.trainable = false
  await eventsOf(trainer)
  await train(twin, { data: source(16), optimizer })
  expect(weightsOf(model)).toEqual(weightsOf(twin))
})

test('a model with nothing to train is refused', () => {
  const model = new Plain()
  for (const parameter of model.parameters()) parameter.trainable = false
  expect(() => new Trainer(model, { data: source(16), batchSize: 8, epochs: 1, optimizer })).toThrow(/no trainable parameter/)
})

test.each([NaN, Infinity, -1])('a schedule that gives %d stops the training and leaves the weights', async factor => {
  const model = new Plain()
  const before = weightsOf(model)
  await using trainer = new Trainer(model, { data: source(16), batchSize: 8, epochs: 1, optimizer, schedule: () => factor })
  await expect(eventsOf(trainer)).rejects.toThrow(InvalidArgument)
  expect(weightsOf(model)).toEqual(before)
})

test('batches may reuse their arrays while a step collects its microbatches', async () => {
  const all = pictures(16)
  const bytes = 8 * 16 * 16 * 3
  const batch = (i: number) => ({
    images: all.images.slice(i * bytes, (i + 1) * bytes),
    labels: all.labels.slice(8 * i, 8 * i + 8),
  })
  async function* fresh() {
    for (const i of [0, 1]) yield await Promise.resolve(batch(i))
  }
  async function* reused() {
    const arrays = batch(0)
    yield await Promise.resolve(arrays)
    arrays.images.set(batch(1).images)
    arrays.labels.set(batch(1).labels)
    yield arrays
  }
  const run = async (batches: () => AsyncIterable<data.Batch>) =>
    (
      await train(new Plain(), {
        data: data.fromBatches({ train: batches, shape: [16, 16, 3], numClasses: 4, batchesPerEpoch: 2 }),
        accumulate: 2,
      })
    ).weights
  expect(await run(reused)).toEqual(await run(fresh))
})

test('leaving after the last step of an epoch does not lose the epoch', async () => {
  await using trainer = new Trainer(new Plain(), {
    data: source(16, [16, 16, 3], { test: 8 }),
    batchSize: 8,
    epochs: 1,
    optimizer,
  })
  const losses: number[] = []
  for await (const event of trainer.fit()) if (event.type === 'step' && losses.push(event.loss) === 2) break
  const [epoch, end] = await eventsOf(trainer)
  expect(epoch).toMatchObject({ type: 'epoch', epoch: 1, step: 2, test: { count: 8 } })
  expect(epoch?.type === 'epoch' && epoch.train.loss).toBeCloseTo((losses[0]! + losses[1]!) / 2, 6)
  expect(end).toMatchObject({ type: 'end', step: 2, test: { count: 8 } })
})

describe('writeBack', () => {
  test('fills the arrays that the model has, and makes no others', async () => {
    const model = create('resnet20', { numClasses: 4, width: 64 })
    const arrays = Array.from(model.parameters(), ({ data }) => data)
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const initial = weightsOf(model)
    await using trainer = new Trainer(model, { data: source(8), batchSize: 8, epochs: 1, optimizer })
    await eventsOf(trainer)
    expect(Array.from(model.parameters(), ({ data }) => data).every((data, i) => data === arrays[i])).toBe(true)
    expect(weightsOf(model)).not.toEqual(initial)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 4; i++) await trainer.writeBack()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bytes / 4)
  })

  test('brings the moving average into the model', async () => {
    const model = new Plain()
    const initial = weightsOf(model)
    await using trainer = new Trainer(model, { data: source(16), batchSize: 8, epochs: 1, optimizer, ema: ema(0.5) })
    await eventsOf(trainer)
    const weights = weightsOf(model)
    await trainer.writeBack('ema')
    const average = weightsOf(model)
    expect(average).not.toEqual(weights)
    expect(average).not.toEqual(initial)
  })

  test('without a moving average says so', async () => {
    await using trainer = new Trainer(new Plain(), { data: source(16), batchSize: 8, epochs: 1, optimizer })
    await expect(trainer.writeBack('ema')).rejects.toThrow(/no moving average/)
  })
})
