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
import { Trainer } from './trainer.js'

export interface ComparisonSettings {
  model: string
  data: DataSource
  /** The folder it was asked to come from. */
  dataPath?: string | undefined
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
    const { summary } = this
    const start = performance.now()
    await using trainer = this.trainer
    summary.plannedBytes = (await trainer.memory()).planned
    progress.begin(summary.name, trainer.stepsPerEpoch)
    const output = { outputDir: join(folder, summary.folder), settings: plain(this.settings) }
    for await (const event of trainer.fit({ signal, ...output })) {
      progress.event(event)
      summary.seconds = (performance.now() - start) / 1000
      if (event.type !== 'epoch') continue
      const { epoch, step, train, test, learningRate, imagesPerSecond, seconds } = event
      summary.epochs.push({ epoch, step, train, test, learningRate, imagesPerSecond, seconds })
      summary.imagesPerSecond = speedOf(summary.epochs)
      await epochDone()
    }
  }
}

/** Of all initial weights and their names. */
function digest(model: Classifier): string {
  const hash = createHash('sha256')
  for (const [name, { data }] of model.namedParameters()) hash.update(name).update(data)
  return `sha256:${hash.digest('hex')}`
}

const momentum = 0.9

/** The warm-up suits trainings of a few epochs. */
const warmupEpochs = ({ epochs }: ComparisonSettings) => Math.min(1, epochs / 4)

function recipe(settings: ComparisonSettings) {
  const { lr, weightDecay } = settings
  return {
    optimizer: sgd({ lr, weightDecay, momentum, nesterov: true }),
    schedule: warmup(warmupEpochs(settings), cosine()),
  }
}

/** The settings by the keys of `eraserelu train --config`, which then trains the same; those not here have its defaults. */
export function plain(settings: ComparisonSettings): Record<string, unknown> {
  const { model, data, dataPath, batchSize, epochs, seed, device, lr, weightDecay, erase } = settings
  return {
    model,
    dataset: data.name,
    'data-path': dataPath ?? null,
    'batch-size': batchSize,
    epochs,
    seed,
    device,
    opt: 'sgd_nesterov',
    lr,
    momentum,
    'weight-decay': weightDecay,
    'lr-scheduler': 'cosineannealinglr',
    'lr-warmup-epochs': warmupEpochs(settings),
    erase: erase.location ?? 'last',
    'erase-proportion': erase.proportion ?? 1,
  }
}
