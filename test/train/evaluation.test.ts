/** Evaluation: on images of another size than those of the training, and in the middle of an epoch. */
import { describe, expect, test } from 'vitest'
import * as data from '../../src/data/index.js'
import { compile } from '../../src/graph/session.js'
import { ema, sgd } from '../../src/optim/index.js'
import type { Evaluation } from '../../src/train/events.js'
import { evaluate } from '../../src/train/evaluate.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import { digest, pictures, Plain, source, weightsOf } from './training.js'

const optimizer = sgd({ lr: 0.05, momentum: 0.9 })
const [mean, std] = [
  [0.5, 0.4, 0.3],
  [0.25, 0.5, 0.75],
]
const trainShape: data.ImageShape = [8, 8, 3]
const testShape: data.ImageShape = [12, 10, 3]
const trainImages = pictures(24, trainShape)
const testImages = pictures(16, testShape, 4, 2)

/** Loss and accuracy by a session of the model, the loss computed here. */
async function measured(model: Plain): Promise<Evaluation> {
  using session = await compile(model, { inputs: { x: { shape: [16, ...testShape] } } })
  const x = Float32Array.from(testImages.images, (value, i) => (value / 255 - mean[i % 3]!) / std[i % 3]!)
  const { data: logits } = (await session.run({ x })).output!
  const rows = Array.from(testImages.labels, (label, n) => ({ label, row: [...logits.subarray(4 * n, 4 * n + 4)] }))
  const loss = rows.reduce((sum, { label, row }) => sum + Math.log(row.reduce((s, v) => s + Math.exp(v - row[label]!), 0)), 0)
  const correct = rows.filter(({ label, row }) => row[label] === Math.max(...row)).length
  return { loss: loss / 16, accuracy: correct / 16 } as Evaluation
}

describe('a fully convolutional network trained on 8x8 is evaluated on 12x10', () => {
  async function* batchesOf({ images, labels }: typeof trainImages, size: number) {
    for (let at = 0; at < labels.length; at += 8)
      yield await Promise.resolve({ images: images.subarray(at * size, (at + 8) * size), labels: labels.subarray(at, at + 8) })
  }
  const sources: [string, TrainerOptions['data']][] = [
    [
      'arrays',
      data.fromArrays({ ...trainImages, shape: trainShape, numClasses: 4, test: { ...testImages, shape: testShape }, mean, std }),
    ],
    [
      'batches',
      data.fromBatches({
        train: () => batchesOf(trainImages, 8 * 8 * 3),
        test: () => batchesOf(testImages, 12 * 10 * 3),
        shape: trainShape,
        testShape,
        numClasses: 4,
        batchesPerEpoch: 3,
        mean,
        std,
      }),
    ],
  ]

  test.each(sources)('from %s', async (_, given) => {
    const model = new Plain()
    await using trainer = new Trainer(model, { data: given, batchSize: 8, epochs: 1, optimizer })
    let test: Evaluation | undefined
    for await (const event of trainer.fit()) if (event.type === 'epoch') test = event.test
    const expected = await measured(model)
    expect(test).toMatchObject({ accuracy: expected.accuracy, count: 16 })
    expect(test!.loss).toBeCloseTo(expected.loss, 4)
  })

  test('a network that takes 16x16 only says which layer cannot', async () => {
    const shape: data.ImageShape = [16, 16, 3]
    const given = data.fromArrays({ ...pictures(8, shape), shape, numClasses: 4, test: { ...testImages, shape: testShape } })
    await using trainer = new Trainer(new Plain(4, 'flatten'), { data: given, batchSize: 8, epochs: 1, optimizer })
    await expect(trainer.memory()).rejects.toThrow(/head\.1 \(linear\): the input must be \[N, 288\], got \[8, 96\]/)
  })
})

describe('evaluate without a trainer', () => {
  const given = data.fromArrays({
    ...testImages,
    shape: testShape,
    numClasses: 4,
    test: { ...testImages, shape: testShape },
    mean,
    std,
  })

  test('gives the same for every size of batch, with the engine options of a training', async () => {
    const model = new Plain()
    const expected = await measured(model)
    for (const batchSize of [1, 3, 16, 20]) {
      const engines = { autotune: true, deterministic: false, workspaceLimit: 0 }
      const { loss, accuracy, count } = await evaluate(model, given, { batchSize, ...engines })
      expect({ accuracy, count }).toEqual({ accuracy: expected.accuracy, count: 16 })
      expect(loss).toBeCloseTo(expected.loss, 4)
    }
  })

  test('refuses options that are none', async () => {
    await expect(evaluate(new Plain(), given, { workspaceLimit: -1 })).rejects.toThrow(
      /evaluate: workspaceLimit must be an integer of at least 0, got -1/,
    )
    await expect(evaluate(new Plain(), given, { autotun: true } as object)).rejects.toThrow(
      /evaluate: unknown option 'autotun'\. Did you mean 'autotune'/,
    )
  })
})

describe('evaluating in the middle of an epoch', () => {
  test.each<[string, Partial<TrainerOptions>]>([
    ['the weights', {}],
    ['the moving average, between steps of several microbatches', { ema: ema(0.9), accumulate: 2 }],
  ])('%s changes no bit of the training', async (_, more) => {
    const options = { data: source(64, [16, 16, 3], { test: 24 }), batchSize: 8, epochs: 2, optimizer, ...more }
    const run = async (midway: boolean) => {
      const model = new Plain()
      const events: unknown[] = []
      const evaluations: Evaluation[] = []
      await using trainer = new Trainer(model, options)
      for await (const event of trainer.fit()) {
        if (event.type === 'step') {
          events.push([event.loss, event.accuracy, event.gradientNorm])
          if (midway) evaluations.push(await trainer.evaluate())
        } else if (event.type === 'epoch') events.push([event.train, event.test])
      }
      return { events, evaluations, weights: digest(weightsOf(model)) }
    }
    const [plain, watched] = [await run(false), await run(true)]
    expect(watched.events).toEqual(plain.events)
    expect(watched.weights).toBe(plain.weights)
    const last = watched.evaluations.at(-1)!
    expect(plain.events.at(-1)).toEqual([expect.anything(), last])
    expect(new Set(watched.evaluations.map(({ loss }) => loss)).size).toBe(watched.evaluations.length)
  })
})
