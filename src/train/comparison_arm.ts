/** One of the networks that a comparison trains, with its run folder. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { DataSource } from '../data/dataset.js'
import { eraseReLU, type EraseOptions } from '../erase.js'
import type { Classifier } from '../models/classifier.js'
import { create } from '../models/registry.js'
import { cosine, sgd, warmup } from '../optim/index.js'
import { speedOf, type ArmSummary } from './comparison_summary.js'
import type { Progress } from './progress.js'
import { RunFolder } from './run_folder.js'
import { Trainer } from './trainer.js'

export interface ComparisonSettings {
  model: string
  data: DataSource
  epochs: number
  batchSize: number
  /** The highest; after a warm-up it falls to 0 along a cosine. */
  lr: number
  weightDecay: number
  seed: number
  device: string
  erase: EraseOptions
}

export interface ArmOptions {
  /** Where its run folder goes. */
  folder: string
  progress: Progress
  signal: AbortSignal
}

export class Arm {
  readonly model: Classifier
  readonly summary: ArmSummary
  private readonly trainer: Trainer

  constructor(
    private readonly settings: ComparisonSettings,
    name: string,
    folder: ArmSummary['folder'],
  ) {
    const { data, epochs, batchSize, seed, device, erase } = settings
    const { shape, numClasses } = data.train
    this.model = create(settings.model, { numClasses, inChannels: shape[2], seed })
    const initialWeights = digest(this.model)
    const { counts: relus } = eraseReLU(this.model, erase)
    this.trainer = new Trainer(this.model, { data, epochs, batchSize, seed, device, ...recipe(settings) })
    const measured = { plannedBytes: undefined, seconds: 0, imagesPerSecond: undefined, epochs: [] }
    this.summary = { folder, name, relus, initialWeights, ...measured }
  }

  /** Trains to the end, or until the signal or an error ends it; its run folder is complete in each case. */
  async train({ folder, progress, signal }: ArmOptions, epochDone: () => Promise<void>): Promise<void> {
    const { model, summary } = this
    const start = performance.now()
    const run = await RunFolder.create(join(folder, summary.folder), plain(this.settings))
    await using trainer = this.trainer
    try {
      summary.plannedBytes = (await trainer.memory()).planned
      progress.begin(summary.name, trainer.stepsPerEpoch)
      for await (const event of trainer.fit({ signal })) {
        progress.event(event)
        await run.add(event)
        summary.seconds = (performance.now() - start) / 1000
        if (event.type !== 'epoch') continue
        const { epoch, step, train, test, imagesPerSecond, seconds } = event
        summary.epochs.push({ epoch, step, train, test, imagesPerSecond, seconds })
        summary.imagesPerSecond = speedOf(summary.epochs)
        await epochDone()
      }
    } finally {
      await run.close(model)
    }
  }
}

/** Of all initial weights and their names. */
function digest(model: Classifier): string {
  const hash = createHash('sha256')
  for (const [name, { data }] of model.namedParameters()) hash.update(name).update(data)
  return `sha256:${hash.digest('hex')}`
}

const momentum = { momentum: 0.9, nesterov: true }

/** The warm-up and the cosine suit trainings of a few epochs. */
function recipe({ lr, weightDecay, epochs }: ComparisonSettings) {
  return { optimizer: sgd({ lr, weightDecay, ...momentum }), schedule: warmup(Math.min(1, epochs / 4), cosine()) }
}

/** The settings as they go into files. */
export function plain({ data, erase, ...rest }: ComparisonSettings): Record<string, unknown> {
  const optimizer = { optimizer: 'sgd', ...momentum, schedule: 'warmup, then cosine' }
  return { dataset: data.name, ...rest, ...optimizer, augment: data.augment, erase }
}
