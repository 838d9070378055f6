/**
 * A TensorBoard event file of one training. It is a TFRecord file: u64 length, masked CRC-32C of it, data, masked CRC-32C of the
 * data; the data are Event messages of TensorFlow's event.proto and summary.proto, whose field numbers stand below.
 */
import crc32c from 'crc-32/crc32c.js'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { PbfWriter } from 'pbf'
import { writing } from '../runtime/durable_files.js'
import type { TrainingEvent } from './events.js'

export class EventFile {
  /** Records that are not in the file yet. */
  private records: Buffer[] = []

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    private readonly newWriter: () => PbfWriter,
  ) {}

  /**
   * Makes a new file in the folder for what happens after `step` steps. What earlier files of the folder have of later steps is
   * dropped by TensorBoard. Throws OutputError when the file cannot be made.
   */
  static async open(folder: string, step: number): Promise<EventFile> {
    const { PbfWriter } = await import('pbf')
    const { path, file } = await writing(folder, () => openNewest(folder))
    const events = new EventFile(path, file, () => new PbfWriter())
    events.record(0, writer => writer.writeStringField(3, 'brain.Event:2'))
    events.record(step + 1, writer => writer.writeMessage(7, writeSessionStart, undefined))
    return events
  }

  /** Takes up what a trainer's `fit` tells; `flush` brings it to the file. */
  add(event: TrainingEvent): void {
    const scalars = scalarsOf(event)
    if (scalars.length > 0) this.record(event.step, writer => writer.writeMessage(5, writeSummary, scalars))
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.records)
    this.records = []
    await writing(this.path, () => this.file.appendFile(bytes))
  }

  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await writing(this.path, () => this.file.close())
    }
  }

  private record(step: number, writeContent: (writer: PbfWriter) => void): void {
    const writer = this.newWriter()
    writer.writeDoubleField(1, Date.now() / 1000)
    writer.writeVarintField(2, step)
    writeContent(writer)
    const data = writer.finish()
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(data.length))
    this.records.push(length, maskedCrc(length), Buffer.from(data), maskedCrc(data))
  }
}

type Scalar = readonly [tag: string, value: number]

function scalarsOf(event: TrainingEvent): Scalar[] {
  if (event.type === 'step') {
    const { loss, accuracy, learningRate, gradientNorm, imagesPerSecond } = event
    return known({
      'train/loss': loss,
      'train/accuracy': accuracy,
      'train/learning_rate': learningRate,
      'train/gradient_norm': gradientNorm,
      'train/images_per_second': imagesPerSecond,
    })
  }
  if (event.type === 'epoch') {
    const { train, test } = event
    return known({
      'epoch/train_loss': train.loss,
      'epoch/train_accuracy': train.accuracy,
      'test/loss': test?.loss,
      'test/accuracy': test?.accuracy,
      'test/accuracy5': test?.accuracy5,
    })
  }
  return []
}

const known = (values: Record<string, number | undefined>): Scalar[] =>
  Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined)

/** SessionLog: status 1 is START. */
const writeSessionStart = (_: undefined, writer: PbfWriter) => writer.writeVarintField(1, 1)

/** Summary: repeated Value 1. */
function writeSummary(scalars: readonly Scalar[], writer: PbfWriter): void {
  for (const scalar of scalars) writer.writeMessage(1, writeValue, scalar)
}

function writeValue([tag, value]: Scalar, writer: PbfWriter): void {
  writer.writeStringField(1, tag)
  writer.writeFloatField(2, value)
}

/** As TFRecord wants it: rotated by 15 bits, plus a constant. */
function maskedCrc(bytes: Uint8Array): Buffer {
  const crc = crc32c.buf(bytes) >>> 0
  const masked = Buffer.alloc(4)
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0)
  return masked
}

/**
 * TensorBoard reads the files of a folder by name: the new one has a later second in its name than every other, even where two
 * were made in the same second or the clock was set back.
 */
async function openNewest(folder: string): Promise<{ path: string; file: FileHandle }> {
  const others = (await readdir(folder)).map(name => Number(/^events\.out\.tfevents\.(\d+)\./.exec(name)?.[1] ?? 0))
  const seconds = Math.max(Math.floor(Date.now() / 1000), ...others.map(other => other + 1))
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`)
  return { path, file: await open(path, 'ax') }
}
