/**
 * The run folder: what one training leaves on the disk.
 *
 *   args.yaml          every setting
 *   metrics.jsonl      one line a step: loss, accuracy, learning rate
 *   summary.csv        one line an epoch
 *   timing.jsonl       seconds and images/s; all other files have the same bytes when the run is repeated
 *   model.safetensors  the weights, written at the end
 */
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { writeSafetensors } from '../interop/safetensors.js'
import type { Classifier } from '../models/classifier.js'
import { ReLU } from '../nn/layers/relu.js'
import type { EpochEvent, StepEvent, TrainingEvent } from './events.js'

const columns = ['epoch', 'step', 'train_loss', 'train_accuracy', 'test_loss', 'test_accuracy', 'learning_rate'] as const

export class RunFolder {
  private metrics = ''
  private timing = ''
  private learningRate = 0
  private steps = 0
  private readonly start = performance.now()

  private constructor(private readonly folder: string) {}

  /** Makes the folder and writes the settings. */
  static async create(folder: string, settings: Readonly<Record<string, unknown>>): Promise<RunFolder> {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'args.yaml'), stringify(settings))
    await writeFile(join(folder, 'summary.csv'), `${columns.join(',')}\n`)
    return new RunFolder(folder)
  }

  /** Takes up what a trainer's `fit` tells; reaches the disk at the end of every epoch. */
  async add(event: TrainingEvent): Promise<void> {
    if (event.type === 'step') this.addStep(event)
    if (event.type === 'epoch') await this.addEpoch(event)
  }

  /** Writes what is left, and the model. */
  async close(model: Classifier): Promise<void> {
    await this.flush()
    const tensors = Array.from(model.stateDict(), ([name, { shape, data }]) => [name, { shape, data }] as const)
    await writeSafetensors(join(this.folder, 'model.safetensors'), tensors, metadataOf(model, this.steps))
  }

  private addStep({ step, epoch, loss, accuracy, learningRate, imagesPerSecond }: StepEvent): void {
    this.steps = step
    this.learningRate = learningRate
    this.metrics += jsonLine({ step, epoch, loss, accuracy, learningRate })
    this.timing += jsonLine({ step, seconds: this.seconds(), imagesPerSecond })
  }

  private async addEpoch({ epoch, step, train, test, imagesPerSecond, seconds }: EpochEvent): Promise<void> {
    const row = [epoch, step, train.loss, train.accuracy, test?.loss, test?.accuracy, this.learningRate]
    await appendFile(join(this.folder, 'summary.csv'), `${row.map(value => value ?? '').join(',')}\n`)
    this.timing += jsonLine({ epoch, seconds: this.seconds(), trainingSeconds: seconds, imagesPerSecond })
    await this.flush()
  }

  private async flush(): Promise<void> {
    const { metrics, timing } = this
    this.metrics = ''
    this.timing = ''
    await appendFile(join(this.folder, 'metrics.jsonl'), metrics)
    await appendFile(join(this.folder, 'timing.jsonl'), timing)
  }

  private seconds(): number {
    return (performance.now() - this.start) / 1000
  }
}

const jsonLine = (value: object) => `${JSON.stringify(value)}\n`

/** What a reader needs to build the same network, and to know how the arrays lie. */
function metadataOf(model: Classifier, step: number): Record<string, string> {
  const erased = Array.from(model.namedModules()).filter(([, module]) => module instanceof ReLU && module.erased)
  return {
    model: model.modelName,
    options: JSON.stringify(model.options),
    erased_relus: erased.map(([path]) => path).join(' '),
    layout: 'KRSC',
    layout_note: 'filters are [out channels, height, width, in channels]; PyTorch has [out, in, height, width]',
    step: String(step),
  }
}
