/**
 * A checkpoint: a folder from which a training goes on to the same bytes.
 *
 *   model.safetensors      weights and running statistics
 *   model_ema.safetensors  their moving average, where there is one
 *   optimizer.safetensors  the optimizer's arenas by parameter ('velocity.layer1.0.conv1.weight') and the update state
 *   state.json             position, settings, machine, and size and SHA-256 of the files above
 *
 * The folder appears under its name complete and on the disk, or not at all.
 */
import { join } from 'node:path'
import { z } from 'zod'
import type { Parameter } from '../graph/parameter.js'
import { decodeSafetensors, safetensorsParts, type StoredTensor } from '../interop/safetensors.js'
import { readHashed, writeFolderWhole, writeHashed, type FileDigest } from '../runtime/durable_files.js'
import { InvalidArgument, Unsupported } from '../runtime/errors.js'
import type { ArenaName } from '../runtime/store.js'
import type { StoreLayout } from '../runtime/store_layout.js'
import type { Sums } from './averages.js'

/** Everything that decides how a training goes on. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number
  /** Full epochs done. */
  readonly epoch: number
  /** Of the epoch that is under way. */
  readonly sums: Sums
  readonly arenas: ReadonlyMap<ArenaName, Float32Array>
}

const count = z.int().nonnegative()
const plain = z.record(z.string(), z.union([z.string(), z.number()]))

/** Of state.json. */
const format = 1

const recordSchema = z.object({
  format: z.literal(format),
  step: count,
  epoch: count,
  stepsPerEpoch: count,
  sums: z.object({
    loss: z.number(),
    correct1: count,
    correct5: count,
    counted: z.boolean(),
    images: count,
    passedOver: count.default(0),
  }),
  /** The best epoch so far: its step, and its test accuracy (or the test loss, negated). */
  best: z.object({ step: count, score: z.number() }).nullable(),
  /** Lengths in bytes of the run folder's files when the checkpoint was made. */
  logs: z.record(z.string(), count),
  settings: plain,
  /** What the bytes depend on: build, library, instruction set, threads. */
  environment: plain,
  files: z.record(z.string(), z.object({ bytes: count, sha256: z.string() })),
})

/** state.json */
export type CheckpointRecord = z.infer<typeof recordSchema>

export interface Checkpoint {
  readonly folder: string
  readonly record: CheckpointRecord
  readonly state: TrainingState
  /** Of model.safetensors. */
  readonly metadata: Readonly<Record<string, string>>
}

/** The files are not what was written: the checkpoint before may still be good. */
export class DamagedCheckpoint extends InvalidArgument {}

type Layout = StoreLayout<Parameter>
const stateFile = 'state.json'

/** Which arenas each file holds; `model` ones are called by the parameter's name alone. */
const files: readonly { name: string; arenas: readonly ArenaName[]; prefixed: boolean }[] = [
  { name: 'model.safetensors', arenas: ['weights'], prefixed: false },
  { name: 'model_ema.safetensors', arenas: ['ema'], prefixed: false },
  { name: 'optimizer.safetensors', arenas: ['velocity', 'm', 'v', 'state'], prefixed: true },
]

/** Writes the checkpoint; a folder of the same name is replaced. Throws OutputError. */
export async function writeCheckpoint(
  folder: string,
  { arenas, ...position }: TrainingState,
  layout: Layout,
  record: Omit<CheckpointRecord, 'format' | 'step' | 'epoch' | 'sums' | 'files'>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFolderWhole(folder, async fresh => {
    const digests: Record<string, FileDigest> = {}
    for (const { name, arenas: held, prefixed } of files) {
      const tensors = held.flatMap(arena => {
        const values = arenas.get(arena)
        return values ? Array.from(slices(arena, layout, prefixed), slice => [slice.name, tensorOf(slice, values)] as const) : []
      })
      if (tensors.length === 0) continue
      digests[name] = await writeHashed(join(fresh, name), safetensorsParts(tensors, prefixed ? {} : metadata))
    }
    // Parsed, so that nothing is written that could not be read.
    const whole = recordSchema.parse({ format, ...position, ...record, files: digests } satisfies CheckpointRecord)
    await writeHashed(join(fresh, stateFile), [Buffer.from(`${JSON.stringify(whole, undefined, 2)}\n`)])
  })
}

/** Reads a checkpoint and checks every byte of it. Throws DamagedCheckpoint, or InvalidArgument where it is of another training. */
export async function readCheckpoint(
  folder: string,
  layout: Layout,
  arenaSizes: ReadonlyMap<ArenaName, number>,
): Promise<Checkpoint> {
  const record = await readRecord(folder)
  const arenas = new Map<ArenaName, Float32Array>()
  let metadata: Record<string, string> = {}
  for (const { name, arenas: held, prefixed } of files) {
    const wanted = held.filter(arena => arenaSizes.has(arena))
    if (wanted.length === 0) continue
    const file = join(folder, name)
    const content = decodeSafetensors(await checkedFile(file, record.files[name]), file)
    if (!prefixed) metadata = { ...content.metadata, ...metadata }
    for (const arena of wanted) {
      const values = new Float32Array(arenaSizes.get(arena)!)
      for (const { name, shape, offset } of slices(arena, layout, prefixed))
        values.set(find(content.tensors, name, shape, file), offset)
      arenas.set(arena, values)
    }
  }
  const { step, epoch, sums } = record
  return { folder, record, metadata, state: { step, epoch, sums, arenas } }
}

async function readRecord(folder: string): Promise<CheckpointRecord> {
  const file = join(folder, stateFile)
  const { content } = await readHashed(file).catch(unreadable(file))
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(content).toString())
  } catch (error) {
    throw new DamagedCheckpoint(`${file} is damaged: ${(error as Error).message}`, { cause: error })
  }
  const version = (json as { format?: unknown } | null)?.format
  if (typeof version === 'number' && version > format)
    throw new Unsupported(
      `${folder} was written by a newer version (format ${version}, this one reads ${format}): use that version`,
    )
  const parsed = recordSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new DamagedCheckpoint(`${file} is damaged: ${z.prettifyError(parsed.error).replaceAll(/\s+/g, ' ')}`, {
    cause: parsed.error,
  })
}

interface Slice {
  readonly name: string
  readonly shape: readonly number[]
  readonly offset: number
}

/** The named parts of an arena. */
function* slices(arena: ArenaName, layout: Layout, prefixed: boolean): Iterable<Slice> {
  if (arena === 'state') {
    yield { name: arena, shape: [16], offset: 0 }
    return
  }
  for (const parameter of prefixed ? layout.trained : layout.entries) {
    const { name, shape } = parameter
    yield { name: prefixed ? `${arena}.${name}` : name, shape, offset: layout.offsetOf(parameter) }
  }
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

const tensorOf = ({ shape, offset }: Slice, values: Float32Array): StoredTensor => ({
  shape,
  data: values.subarray(offset, offset + sizeOf(shape)),
})

function find(tensors: ReadonlyMap<string, StoredTensor>, name: string, shape: readonly number[], file: string): Float32Array {
  const tensor = tensors.get(name)
  if (!tensor)
    throw new InvalidArgument(
      `${file} does not fit this training: it has no tensor '${name}'. The optimizer is another one, or the parameter was frozen.`,
    )
  const { data } = tensor
  if (!(data instanceof Float32Array) || tensor.shape.join() !== shape.join())
    throw new InvalidArgument(
      `${file} does not fit this training: '${name}' is [${tensor.shape.join(', ')}], here it must be f32 [${shape.join(', ')}]`,
    )
  return data
}

async function checkedFile(file: string, expected: FileDigest | undefined): Promise<Uint8Array> {
  if (!expected) throw new InvalidArgument(`${file} does not fit this training: the checkpoint has no such file`)
  const { content, digest } = await readHashed(file).catch(unreadable(file))
  if (digest.bytes !== expected.bytes)
    throw new DamagedCheckpoint(`${file} is damaged: it has ${digest.bytes} bytes, ${stateFile} says ${expected.bytes}`)
  if (digest.sha256 !== expected.sha256)
    throw new DamagedCheckpoint(`${file} is damaged: its SHA-256 is not that of ${stateFile}`)
  return content
}

/** A file that is missing is damage; one that may not be read now can be good. */
const unreadable =
  (file: string) =>
  (error: unknown): never => {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR')
      throw new DamagedCheckpoint(`${file} is damaged: it cannot be read (${message})`, { cause: error })
    throw new InvalidArgument(`${file} cannot be read (${message}); nothing was changed`, { cause: error })
  }
