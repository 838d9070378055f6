// Short trainings of ResNet-20: it must learn, and the same seed must give the same bytes.
import { createHash } from 'node:crypto'
import * as data from '../../../src/data/index.js'
import { eraseReLU } from '../../../src/erase.js'
import { precisions, type Precision } from '../../../src/graph/precision.js'
import { create } from '../../../src/models/index.js'
import { cosine, sgd } from '../../../src/optim/index.js'
import { Trainer } from '../../../src/train/trainer.js'
import { source } from '../../../test/train/training.js'
import type { Reporter, Settings } from '../reporter.js'

interface Form {
  readonly precision: Precision
  /** Of the last ReLUs of the blocks, that are erased. */
  readonly proportion: number
}

export async function training(reporter: Reporter): Promise<void> {
  const { small } = reporter.settings
  const forms: readonly Form[] = [
    { precision: 'f32', proportion: 0 },
    ...precisions.map(precision => ({ precision, proportion: 1 })),
  ]
  for (const form of forms) {
    const name = `ResNet-20, ${form.precision}, ${form.proportion === 1 ? 'erased' : 'as published'}`
    await reporter.case(`${name}: learns`, async () => {
      const run = await train(reporter.settings, form, small ? 2 : 4)
      reporter.row({
        training: name,
        steps: run.losses.length,
        'first loss': run.losses[0]!.toFixed(3),
        'last loss': run.lastLoss.toFixed(3),
        'test accuracy': run.accuracy === undefined ? '' : run.accuracy.toFixed(3),
        'images/s': Math.round(run.imagesPerSecond),
      })
      if (!(run.lastLoss < 0.6 * run.losses[0]!))
        throw new Error(`the loss went from ${run.losses[0]} to ${run.lastLoss}; it must fall below 0.6 of the first`)
    })
  }
  for (const precision of ['f32', 'bf16'] as const) {
    await reporter.case(`${precision}: the same seed gives the same bytes`, async () => {
      const form = { precision, proportion: 1 }
      const [first, second] = [await train(reporter.settings, form, 1), await train(reporter.settings, form, 1)]
      if (first.digest === second.digest) return
      const step = first.losses.findIndex((loss, i) => loss !== second.losses[i])
      throw new Error(`the weights differ; the first loss that differs is that of step ${step + 1} (0: none does)`)
    })
  }
}

interface Run {
  readonly losses: readonly number[]
  /** Mean over the last tenth of the steps. */
  readonly lastLoss: number
  readonly accuracy: number | undefined
  readonly imagesPerSecond: number
  /** Of all weights and running statistics. */
  readonly digest: string
}

async function train({ device, small }: Settings, { precision, proportion }: Form, epochs: number): Promise<Run> {
  const images = small ? source(32, [8, 8, 1]) : await data.open('fashion-mnist-sample')
  const { numClasses } = images.train
  const model = create('resnet20', { inChannels: 1, numClasses, seed: 1 })
  eraseReLU(model, { location: 'last', proportion })
  await using trainer = new Trainer(model, {
    data: images,
    batchSize: small ? 8 : 128,
    epochs,
    device,
    precision,
    optimizer: sgd({ lr: small ? 0.02 : 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    schedule: cosine(),
  })
  const losses: number[] = []
  let accuracy: number | undefined
  let imagesPerSecond = 0
  for await (const event of trainer.fit()) {
    if (event.type === 'step') losses.push(event.loss)
    if (event.type === 'epoch') ({ imagesPerSecond } = event)
    if (event.type === 'end') accuracy = event.test?.accuracy
  }
  const last = losses.slice(-Math.ceil(losses.length / 10))
  const hash = createHash('sha256')
  for (const { data: values } of model.parameters()) hash.update(Buffer.from(values.buffer, values.byteOffset, values.byteLength))
  return {
    losses,
    lastLoss: last.reduce((sum, loss) => sum + loss, 0) / last.length,
    accuracy,
    imagesPerSecond,
    digest: hash.digest('hex'),
  }
}
