/**
 * The logs of a run folder. Each is appended to while the training runs; a checkpoint notes their lengths, and a training
 * that resumes cuts them there, so that they end up with the same bytes as those of a training that was never interrupted.
 *
 *   metrics.jsonl  one line a step: loss, accuracy, learning rate; with loss scaling the scale, and whether it was skipped
 *   summary.csv    one line an epoch
 *   timing.jsonl   seconds (in all, of the step, of it waiting for images) and images/s of the same: differs from run to run
 */
import { open, readFile, truncate, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileWhole, writing } from '../runtime/durable_files.js'
import type { EpochEvent, StepEvent, TrainingEvent } from './events.js'
import type { EpochRow } from './run_curves.js'

const names = { metrics: 'metrics.jsonl', summary: 'summary.csv', timing: 'timing.jsonl' } as const
export const logNames = Object.values(names)

const columns = [
  'epoch', 'step', 'train_loss', 'train_accuracy', 'test_loss', 'test_accuracy', 'test_accuracy5', 'learning_rate',
] as const // prettier-ignore

/** How long lines may wait for the disk between two checkpoints. */
const flushMilliseconds = 1000

export class RunLogs {
  private flushed = performance.now()
  private readonly start = performance.now()

  private constructor(
    private readonly metrics: Log,
    private readonly summary: Log,
    private readonly timing: Log,
    /** What summary.csv holds. */
    readonly epochs: EpochRow[],
    /** What is wrong with them, a sentence each. */
    readonly notes: readonly string[],
  ) {}

  /** Opens the logs: empty ones, or cut to the lengths that a checkpoint noted. */
  static async open(folder: string, cut?: { step: number; logs: Readonly<Record<string, number>> }): Promise<RunLogs> {
    const file = (name: string) => join(folder, name)
    const lengthOf = (name: string) => cut?.logs[name] ?? 0
    const [metrics, summary] = [
      await Log.open(file(names.metrics), lengthOf(names.metrics)),
      await Log.open(file(names.summary), lengthOf(names.summary)),
    ]
    await cutTiming(file(names.timing), cut?.step ?? 0)
    const notes = [metrics, summary]
      .filter((log, i) => log.length < lengthOf([names.metrics, names.summary][i]!))
      .map(log => `${log.file} is shorter than it was when the checkpoint was made: lines are missing`)
    if (summary.length === 0) summary.add(`${columns.join(',')}\n`)
    const rows = epochsIn(await readFile(file(names.summary), 'utf8'))
    return new RunLogs(metrics, summary, await Log.open(file(names.timing)), rows, notes)
  }

  /** True: everything is in the files now. */
  async add(event: TrainingEvent): Promise<boolean> {
    if (event.type === 'step') this.addStep(event)
    if (event.type === 'epoch') this.addEpoch(event)
    const due = event.type === 'epoch' || performance.now() - this.flushed > flushMilliseconds
    if (due) await this.flush()
    return due
  }

  /** Brings everything to the disk; gives the lengths for a checkpoint. */
  async sync(): Promise<Record<string, number>> {
    await this.flush()
    await this.metrics.sync()
    await this.summary.sync()
    return { [names.metrics]: this.metrics.length, [names.summary]: this.summary.length }
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      for (const log of [this.metrics, this.summary, this.timing]) await log.close()
    }
  }

  private addStep(event: StepEvent): void {
    const { step, epoch, loss, accuracy, learningRate, lossScale, skipped, dataSeconds, imagesPerSecond } = event
    const scaling = lossScale === undefined ? {} : { lossScale, skipped }
    this.metrics.add(jsonLine({ step, epoch, loss, accuracy, learningRate, ...scaling }))
    this.timing.add(jsonLine({ step, seconds: this.seconds(), stepSeconds: event.seconds, dataSeconds, imagesPerSecond }))
  }

  private addEpoch({ epoch, step, train, test, learningRate, imagesPerSecond, seconds, dataSeconds }: EpochEvent): void {
    const row = [epoch, step, train.loss, train.accuracy, test?.loss, test?.accuracy, test?.accuracy5, learningRate]
    const line = row.map(value => value ?? '').join(',')
    this.summary.add(`${line}\n`)
    this.epochs.push(rowOf(line))
    this.timing.add(jsonLine({ epoch, step, seconds: this.seconds(), trainingSeconds: seconds, dataSeconds, imagesPerSecond }))
  }

  private async flush(): Promise<void> {
    for (const log of [this.metrics, this.summary, this.timing]) await log.flush()
    this.flushed = performance.now()
  }

  private seconds(): number {
    return (performance.now() - this.start) / 1000
  }
}

/** A file that grows; what is added waits in memory until `flush`. */
class Log {
  private waiting = ''

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private written: number,
  ) {}

  /** Bytes, with what waits. */
  get length(): number {
    return this.written + Buffer.byteLength(this.waiting)
  }

  static async open(file: string, cut?: number): Promise<Log> {
    return writing(file, async () => {
      const handle = await open(file, 'a')
      const { size } = await handle.stat()
      if (cut === undefined || size <= cut) return new Log(file, handle, size)
      await truncate(file, cut)
      return new Log(file, handle, cut)
    })
  }

  add(text: string): void {
    this.waiting += text
  }

  async flush(): Promise<void> {
    const bytes = Buffer.from(this.waiting)
    if (bytes.length === 0) return
    await writing(this.file, () => this.handle.appendFile(bytes))
    this.written += bytes.length
    this.waiting = ''
  }

  sync(): Promise<void> {
    return writing(this.file, () => this.handle.sync())
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}

const jsonLine = (value: object) => `${JSON.stringify(value)}\n`

/** Drops the lines of steps after `step`, and a line that was not finished. */
async function cutTiming(file: string, step: number): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const kept = text.split('\n').filter(line => {
    try {
      return (JSON.parse(line) as { step: number }).step <= step
    } catch {
      return false
    }
  })
  if (text !== '') await writeFileWhole(file, kept.map(line => `${line}\n`).join(''))
}

/** The epochs of a summary.csv. */
export const epochsIn = (csv: string): EpochRow[] => csv.trimEnd().split('\n').slice(1).map(rowOf) // prettier-ignore

function rowOf(line: string): EpochRow {
  const cells = line.split(',')
  const cell = (name: (typeof columns)[number]) => {
    const text = cells[columns.indexOf(name)] ?? ''
    return text === '' ? undefined : Number(text)
  }
  return {
    epoch: cell('epoch')!,
    trainLoss: cell('train_loss')!,
    trainAccuracy: cell('train_accuracy'),
    testLoss: cell('test_loss'),
    testAccuracy: cell('test_accuracy'),
  }
}
