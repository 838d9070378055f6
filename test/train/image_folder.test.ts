/** Training from folders of images, end to end: the reader's threads, the feed, the trainer, a resumed run and the command. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imageFolder } from '../../src/data/index.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { initialize } from '../../src/nn/index.js'
import { sgd } from '../../src/optim/index.js'
import { evaluate } from '../../src/train/evaluate.js'
import type { EpochEvent, StepEvent } from '../../src/train/events.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import { runCli } from '../cli/run_cli.js'
import { writeShapes } from '../data/shapes.js'

const temporary = mkdtempSync(join(tmpdir(), 'eraserelu-folder-'))
const folder = join(temporary, 'shapes')
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

beforeAll(() => writeShapes(folder))

const sizes = { trainCropSize: 16, valCropSize: 16, valResizeSize: 18, scale: [0.5, 1] } as const
const network = () => initialize(new CifarResNet(8, { numClasses: 3 }), 1)
const options = async (changes: Partial<TrainerOptions> = {}): Promise<TrainerOptions> => ({
  data: await imageFolder(folder, { ...sizes, workers: 3 }),
  batchSize: 8,
  epochs: 8,
  seed: 3,
  optimizer: sgd({ lr: 0.05, momentum: 0.9 }),
  ...changes,
})

async function toTheEnd(events: AsyncIterable<unknown>): Promise<void> {
  for await (const event of events) expect(event).toBeDefined()
}

async function losses(changes: Partial<TrainerOptions>): Promise<{ steps: StepEvent[]; epochs: EpochEvent[] }> {
  await using trainer = new Trainer(network(), await options(changes))
  const steps: StepEvent[] = []
  const epochs: EpochEvent[] = []
  for await (const event of trainer.fit()) {
    if (event.type === 'step') steps.push(event)
    if (event.type === 'epoch') epochs.push(event)
  }
  return { steps, epochs }
}

describe('a folder of images', () => {
  it('is learnt, and evaluated by centre crop', async () => {
    const model = network()
    const given = await options()
    await using trainer = new Trainer(model, given)
    let last: EpochEvent | undefined
    for await (const event of trainer.fit()) if (event.type === 'epoch') last = event
    expect(last!.test!.count).toBe(12)
    expect(last!.test!.accuracy).toBeGreaterThan(0.9)
    expect(last!.dataSeconds).toBeLessThan(last!.seconds)
    const { accuracy, loss } = await evaluate(model, given.data, { batchSize: 5 })
    expect(accuracy).toBe(last!.test!.accuracy)
    expect(loss).toBeCloseTo(last!.test!.loss, 4)
  })

  it('gives the same training with any number of threads, accumulated steps included', async () => {
    const short = { epochs: 2, accumulate: 2 }
    const [one, many] = [{ workers: 1, prefetch: 1 }, { workers: 5, prefetch: 4 }] // prettier-ignore
    const first = await losses({ ...short, data: await imageFolder(folder, { ...sizes, ...one }) })
    const second = await losses({ ...short, data: await imageFolder(folder, { ...sizes, ...many }) })
    expect(second.steps.map(step => step.loss)).toEqual(first.steps.map(step => step.loss))
    expect(first.steps).toHaveLength(6)
    for (const { seconds, dataSeconds } of first.steps) expect(dataSeconds).toBeLessThanOrEqual(seconds)
  })

  it('goes on inside an epoch to the same weights', async () => {
    const whole = network()
    await using trainer = new Trainer(whole, await options({ epochs: 2 }))
    await toTheEnd(trainer.fit())
    const outputDir = join(temporary, 'resumed')
    await using stopped = new Trainer(network(), await options({ epochs: 2 }))
    for await (const event of stopped.fit({ outputDir })) if (event.type === 'step' && event.step === 8) break
    const resumed = network()
    await using again = new Trainer(resumed, await options({ epochs: 2 }))
    await toTheEnd(again.fit({ outputDir, resume: true }))
    for (const [i, parameter] of [...whole.parameters()].entries())
      expect([...resumed.parameters()][i]!.data).toEqual(parameter.data)
  })

  it('stops at a file that cannot be read, or passes over as many as allowed', async () => {
    const damaged = join(folder, 'train', 'red', 'damaged.jpg')
    writeFileSync(damaged, 'no image')
    try {
      const epoch = { epochs: 1, batchSize: 49 }
      await expect(losses({ ...epoch, data: await imageFolder(folder, sizes) })).rejects.toThrow(damaged)
      const { epochs } = await losses({ ...epoch, data: await imageFolder(folder, { ...sizes, maxCorrupt: 1 }) })
      expect(epochs[0]!.train.loss).toBeGreaterThan(0)
    } finally {
      rmSync(damaged)
    }
  })

  it('counts what it passed over before it was stopped', async () => {
    const damaged = ['red', 'blue'].map(name => join(folder, 'train', name, 'damaged.jpg'))
    for (const file of damaged) writeFileSync(file, 'no image')
    const outputDir = join(temporary, 'counted')
    let steps = 0
    const inSteps = async () => {
      // Every step in a trainer of its own.
      for (; steps < 6; ++steps) {
        const data = await imageFolder(folder, { ...sizes, maxCorrupt: 1, prefetch: 1 })
        await using trainer = new Trainer(network(), await options({ epochs: 1, data }))
        for await (const event of trainer.fit({ outputDir, resume: steps > 0 })) if (event.type === 'step') break
      }
    }
    try {
      await expect(inSteps()).rejects.toThrow('damaged.jpg')
      expect(steps).toBeGreaterThan(1)
    } finally {
      for (const file of damaged) rmSync(file)
    }
  })

  it('is trained on and measured by the command', async () => {
    const outputDir = join(temporary, 'command')
    const crops = '--train-crop-size 16 --val-crop-size 16 --val-resize-size 18 --workers 2'.split(' ')
    const flags = [
      '--dataset',
      'image-folder',
      '--data-path',
      folder,
      ...crops,
      '--model',
      'resnet20',
      '-b',
      '16',
      '--epochs',
      '1',
    ]
    const { code, stdout, stderr } = await runCli(['train', ...flags, '--output-dir', outputDir])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('epoch 1/1: test accuracy')
    const timing = readFileSync(join(outputDir, 'timing.jsonl'), 'utf8').trim().split('\n')
    expect(timing.map(line => Object.keys(JSON.parse(line) as object))[0]).toEqual([
      'step', 'seconds', 'stepSeconds', 'dataSeconds', 'imagesPerSecond',
    ]) // prettier-ignore
    const measured = await runCli(['train', '--resume', outputDir, '--test-only'])
    expect(measured.stdout).toMatch(/^shapes: 12 test images$/m)
  })
})
