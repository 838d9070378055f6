/** Packed shards, as `eraserelu pack` writes them: shards.json says which there are. docs/shards.md describes both. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { z } from 'zod'
import { InvalidArgument, Unsupported } from '../runtime/errors.js'
import { writeFileWhole } from '../runtime/durable_files.js'
import {
  checkedImageFileOptions,
  imageFileSource,
  type ImageFileOptions,
  type ImageFileSet,
  type ImageFileSource,
} from './image_files.js'
import { readShard, shardVersion } from './shard_file.js'

export const indexFile = 'shards.json'
const format = 'eraserelu shards'

async function indexSchema() {
  const { z } = await import('zod')
  const count = z.number().int().min(0)
  const part = z.object({
    /** Images of the source that could not be read. */
    passedOver: count,
    shards: z
      .array(z.object({ file: z.string().regex(/^[\w.-]+$/), bytes: count, images: count.min(1), checksum: count }))
      .min(1),
  })
  return z.object({
    format: z.literal(format),
    version: z.literal(shardVersion),
    name: z.string().min(1),
    images: z.object({ format: z.enum(['keep', 'jpeg', 'raw']), size: count.optional(), quality: count.optional() }),
    classNames: z.array(z.string().regex(/^[^\0]+$/)).min(1),
    train: part,
    val: part.optional(),
  })
}

/** shards.json */
export type ShardIndex = z.infer<Awaited<ReturnType<typeof indexSchema>>>
export type ShardPart = ShardIndex['train']

export const writeIndex = (folder: string, index: Omit<ShardIndex, 'format' | 'version'>): Promise<void> =>
  writeFileWhole(join(folder, indexFile), `${JSON.stringify({ format, version: shardVersion, ...index }, undefined, 1)}\n`)

/** Throws InvalidArgument that names the file and what is wrong with it, Unsupported for another version. */
export async function readIndex(folder: string): Promise<ShardIndex> {
  const file = join(folder, indexFile)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new InvalidArgument(`${file}: cannot be read (${(error as Error).message})`, { cause: error })
  })
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new InvalidArgument(`${file}: truncated or damaged (${(error as Error).message})`, { cause: error })
  }
  const version = (content as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version !== shardVersion)
    throw new Unsupported(`${file}: shards of version ${version}; this version of the package reads version ${shardVersion}`)
  const { success, data, error } = (await indexSchema()).safeParse(content)
  if (success) return data
  const problems = error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`)
  throw new InvalidArgument(`${file}: not an index of shards (${problems.join('; ')})`)
}

/**
 * Training data from packed shards: a folder with shards.json, or that file. Every shard is looked at for completeness; its images
 * are checked as they are read. Throws InvalidArgument that names the shard and what is wrong with it.
 */
export async function shards(path: string, options: ImageFileOptions = {}): Promise<ImageFileSource> {
  const checked = checkedImageFileOptions('data.shards', options)
  if (!existsSync(path)) throw new InvalidArgument(`${path}: there is no such folder`)
  const folder = statSync(path).isDirectory() ? path : dirname(path)
  if (folder !== path && basename(path) !== indexFile)
    throw new InvalidArgument(`${path} is not ${indexFile}, the index of shards`)
  const { name, classNames, train, val } = await readIndex(folder)
  const setOf = (part: ShardPart) => readPart(folder, part, classNames)
  return imageFileSource(name, { train: await setOf(train), test: val && (await setOf(val)), classNames }, checked)
}

/** Shards that are looked at at a time. */
const atOnce = 8

async function readPart(root: string, { shards }: ShardPart, classNames: readonly string[]): Promise<ImageFileSet> {
  const tables = new Array<Awaited<ReturnType<typeof readShard>>['table']>(shards.length)
  let next = 0
  const work = async () => {
    for (let i = next++; i < shards.length; i = next++) {
      const { file, bytes, images, checksum } = shards[i]!
      const where = join(root, file)
      const { header, table } = await readShard(where)
      if (header.bytes !== bytes || header.images !== images || header.checksum !== checksum)
        throw new InvalidArgument(`${where}: not the shard that ${indexFile} speaks of; it is of another packing`)
      const wrong = table.labels.findIndex(label => label < 0 || label >= classNames.length)
      if (wrong >= 0)
        throw new InvalidArgument(
          `${where}: image ${wrong} has class ${table.labels[wrong]!}, there are ${classNames.length} classes`,
        )
      tables[i] = table
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const total = shards.reduce((sum, { images }) => sum + images, 0)
  const labels = new Int32Array(total)
  const pieces = {
    paths: shards.map(({ file }) => file),
    files: new Int32Array(total),
    offsets: new Float64Array(total),
    lengths: new Float64Array(total),
    checksums: new Uint32Array(total),
  }
  let at = 0
  for (const [file, table] of tables.entries()) {
    const size = table.labels.length
    labels.set(table.labels, at)
    pieces.files.fill(file, at, at + size)
    pieces.offsets.set(table.offsets.subarray(0, size), at)
    pieces.lengths.set(
      table.offsets.subarray(1).map((end, i) => end - table.offsets[i]!),
      at,
    )
    pieces.checksums.set(table.checksums, at)
    at += size
  }
  return { root, names: tables.flatMap(({ names }) => names), labels, pieces }
}
