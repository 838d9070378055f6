/** TensorBoard event files, read back by Python's tensorboard. */
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { OutputError } from '../../src/runtime/errors.js'
import type { EpochEvent, StepEvent } from '../../src/train/events.js'
import { EventFile } from '../../src/train/tensorboard.js'
import { python } from '../python/python.js'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'eraserelu-events-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const stepsPerEpoch = 2

/** `loss` tells which run of the step it was; every value is exact in f32. */
const stepEvent = (step: number, loss: number): StepEvent => ({
  type: 'step',
  skipped: false,
  lossScale: undefined,
  step,
  epoch: Math.ceil(step / stepsPerEpoch),
  stepInEpoch: ((step - 1) % stepsPerEpoch) + 1,
  stepsPerEpoch,
  loss,
  accuracy: 0.25,
  learningRate: 0.5,
  gradientNorm: 1.5,
  seconds: 1,
  dataSeconds: 0,
  imagesPerSecond: 1000,
})

const epochEvent = (epoch: number, loss: number): EpochEvent => ({
  type: 'epoch',
  epoch,
  epochs: 2,
  step: epoch * stepsPerEpoch,
  train: { loss, accuracy: 0.5 },
  test: { loss: 2 * loss, accuracy: 0.625, accuracy5: 0.875, count: 8 },
  learningRate: 0.5,
  imagesPerSecond: 1000,
  seconds: 1,
  dataSeconds: 0,
})

it('has every value under its step', async () => {
  const events = await EventFile.open(folder, 0)
  events.add(stepEvent(1, 3))
  await events.flush()
  events.add(stepEvent(2, 2.5))
  events.add(epochEvent(1, 2))
  events.add({ type: 'end', step: 2, epochs: 1, test: undefined, imagesPerSecond: 1000, seconds: 1 })
  await events.close()
  const steps = (first: number, second: number) => [
    [1, first],
    [2, second],
  ]
  expect(python('read_events.py', folder)).toEqual({
    'train/loss': steps(3, 2.5),
    'train/accuracy': steps(0.25, 0.25),
    'train/learning_rate': steps(0.5, 0.5),
    'train/gradient_norm': steps(1.5, 1.5),
    'train/images_per_second': steps(1000, 1000),
    'epoch/train_loss': [[2, 2]],
    'epoch/train_accuracy': [[2, 0.5]],
    'test/loss': [[2, 4]],
    'test/accuracy': [[2, 0.625]],
    'test/accuracy5': [[2, 0.875]],
  })
})

it('leaves out what was not measured', async () => {
  const events = await EventFile.open(folder, 0)
  events.add({ ...stepEvent(1, 3), accuracy: undefined })
  events.add({ ...epochEvent(1, 2), train: { loss: 2, accuracy: undefined }, test: undefined })
  await events.close()
  const tags = Object.keys(python('read_events.py', folder) as object).sort()
  expect(tags).toEqual([
    'epoch/train_loss',
    'train/gradient_norm',
    'train/images_per_second',
    'train/learning_rate',
    'train/loss',
  ])
})

it('shows every step once after a run was killed and resumed from an earlier step, twice within a second', async () => {
  const killed = await EventFile.open(folder, 0)
  for (let step = 1; step <= 5; step++) killed.add(stepEvent(step, 1))
  killed.add(epochEvent(1, 1))
  await killed.close()
  appendFileSync(killed.path, Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3])) // killed while it wrote a record
  const again = await EventFile.open(folder, 3)
  for (let step = 4; step <= 6; step++) again.add(stepEvent(step, 2))
  await again.close()
  const last = await EventFile.open(folder, 5)
  last.add(stepEvent(6, 3))
  await last.close()
  expect(readdirSync(folder)).toHaveLength(3)
  expect(python('read_events.py', folder)).toMatchObject({
    'train/loss': [1, 1, 1, 2, 2, 3].map((loss, i) => [i + 1, loss]),
    'test/loss': [[2, 2]],
  })
})

it('names the folder or file that cannot be written', async () => {
  const missing = join(folder, 'none')
  await expect(EventFile.open(missing, 0)).rejects.toThrow(OutputError)
  await expect(EventFile.open(missing, 0)).rejects.toThrow(`${missing} could not be written: ENOENT`)
  const events = await EventFile.open(folder, 0)
  await events.close()
  await expect(events.flush()).rejects.toThrow(OutputError)
  await expect(events.flush()).rejects.toThrow(`${events.path} could not be written: `)
})
