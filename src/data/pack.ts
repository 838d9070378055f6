/** Packs images into shards: a few large files in place of very many small ones. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, extname, join, resolve } from 'node:path'
import { makeFolder, writeFileWhole } from '../runtime/durable_files.js'
import { InvalidArgument } from '../runtime/errors.js'
import { lockFolder } from '../runtime/folder_lock.js'
import { ImageFiles, type RecodedImages } from '../runtime/image_reader.js'
import { requireInteger, requireKnownOptions, requireOneOf, requireSignal } from '../runtime/options.js'
import type { ImageFileSet, ImageFileSource } from './image_files.js'
import { imagesAt } from './images_at.js'
import { readShard } from './shard_file.js'
import { ShardWriter } from './shard_writer.js'
import { indexFile, writeIndex, type ShardIndex, type ShardPart } from './shards.js'
import { isTar } from './webdataset.js'

/** Options of `pack`. */
export interface PackOptions {
  /** The bytes as they are, JPEGs encoded anew, or pixels (as PPM files); default 'keep'. */
  format?: 'keep' | 'jpeg' | 'raw'
  /** Pixels of the shorter side, where it is longer; not with 'keep'. Default: as it is. */
  size?: number
  /** Of JPEGs, 1 to 100; with 'jpeg' only. Default 90. */
  quality?: number
  /** Bytes of images in a shard, at most, unless one alone is larger; default 256 MiB. */
  shardBytes?: number
  /** Threads; default one a processor. The shards do not depend on it. */
  workers?: number
  /** Images that may be passed over because they cannot be read; default 0. */
  maxCorrupt?: number
  /** Ends it between two images; it then throws the signal's reason. What is complete is kept. */
  signal?: AbortSignal
  /** Told now and then. */
  onProgress?: (progress: PackProgress) => void
  /** Told where an image is that was passed over, and what is wrong with it. */
  onCorrupt?: (fault: string) => void
}

/** How far it is. */
export interface PackProgress {
  /** Images of all parts that are done, those included that were packed before or passed over. */
  readonly images: number
  /** Of all parts. */
  readonly total: number
  /** Written to shards by this call. */
  readonly bytes: number
}

/** What was packed. */
export interface PackResult {
  /** In the shards. */
  readonly images: number
  /** Images of the source that could not be read. */
  readonly passedOver: number
  /** How many there are. */
  readonly shards: number
  /** Of the shards. */
  readonly bytes: number
  /** How many there are. */
  readonly classes: number
}

const optionNames = 'format size quality shardBytes workers maxCorrupt signal onProgress onCorrupt'.split(' ')
const planFile = 'packing.json'
const lockFile = 'pack.lock'
/** Images that are decoded at a time. */
const chunk = 64

/**
 * Packs the images at `source` (class folders, tar files, shards) into the folder `out`. One that was interrupted goes on where it was
 * when it is called again with the same arguments. Throws InvalidArgument where `out` holds something else, or another process packs there.
 */
export async function pack(source: string, out: string, options: PackOptions = {}): Promise<PackResult> {
  const checked = checkedOptions(options)
  const images = await imagesAt(source)
  await makeFolder(out)
  const release = await lockFolder(out, lockFile, 'packing into')
  try {
    await claim(out, source, images, checked)
    return await new Packing(images, out, checked).run()
  } finally {
    await release()
  }
}

type Checked = PackOptions & Required<Pick<PackOptions, 'format' | 'shardBytes' | 'workers' | 'maxCorrupt'>>

function checkedOptions(given: PackOptions): Checked {
  const where = 'data.pack'
  requireKnownOptions(where, given, optionNames)
  const options = { format: 'keep' as const, shardBytes: 256 * 2 ** 20, workers: availableParallelism(), maxCorrupt: 0, ...given }
  const { format, size, quality } = options
  requireOneOf(where, 'format', format, ['keep', 'jpeg', 'raw'])
  for (const name of ['shardBytes', 'workers'] as const) requireInteger(where, name, options[name])
  requireInteger(where, 'maxCorrupt', options.maxCorrupt, 0)
  if (size !== undefined) requireInteger(where, 'size', size)
  if (quality !== undefined) requireInteger(where, 'quality', quality)
  if (quality !== undefined && quality > 100) throw new InvalidArgument(`${where}: quality must be 1 to 100, got ${quality}`)
  if (format === 'keep' && size !== undefined)
    throw new InvalidArgument(`${where}: size is for format 'jpeg' and 'raw'; 'keep' leaves the images as they are`)
  if (format !== 'jpeg' && quality !== undefined) throw new InvalidArgument(`${where}: quality is for format 'jpeg'`)
  requireSignal(where, options.signal)
  return options
}

/** Notes in the empty folder what is packed, or sees that the same packing was begun there. */
async function claim(out: string, source: string, images: ImageFileSource, options: Checked): Promise<void> {
  const { format, size, quality, shardBytes } = options
  const sets = [images.train, images.test].map(set => set && [set.names, [...set.labels], [...(set.pieces?.offsets ?? [])]])
  const digest = createHash('sha256')
    .update(JSON.stringify([sets, images.classNames]))
    .digest('hex')
  const plan = `${JSON.stringify({ source: resolve(source), format, size, quality, shardBytes, digest }, undefined, 1)}\n`
  const file = join(out, planFile)
  if (existsSync(join(out, indexFile)))
    throw new InvalidArgument(`${out} holds complete shards already; give another folder, or delete it first`)
  if (existsSync(file)) {
    if ((await readFile(file, 'utf8')) === plan) return
    throw new InvalidArgument(
      `${out} holds a packing that is not complete, of other images or with other options; give those, or delete the folder`,
    )
  }
  if ((await readdir(out)).some(name => !name.startsWith(lockFile)))
    throw new InvalidArgument(`${out} is not empty; give another folder`)
  await writeFileWhole(file, plan)
}

class Packing {
  private done = 0
  private bytes = 0
  private passedOver = 0
  private readonly total: number

  constructor(
    private readonly images: ImageFileSource,
    private readonly out: string,
    private readonly options: Checked,
  ) {
    this.total = images.train.names.length + (images.test?.names.length ?? 0)
  }

  async run(): Promise<PackResult> {
    const { name, classNames, train: trainSet, test } = this.images
    const { format, size, quality = 90 } = this.options
    const train = await this.part('train', trainSet)
    const val = test && (await this.part('val', test))
    const how: ShardIndex['images'] = { format, ...(size !== undefined && { size }), ...(format === 'jpeg' && { quality }) }
    await writeIndex(this.out, { name, images: how, classNames: [...classNames], train, ...(val && { val }) })
    await rm(join(this.out, planFile))
    const all = [...train.shards, ...(val?.shards ?? [])]
    const sum = (key: 'images' | 'bytes') => all.reduce((total, shard) => total + shard[key], 0)
    return {
      images: sum('images'),
      bytes: sum('bytes'),
      passedOver: this.passedOver,
      shards: all.length,
      classes: classNames.length,
    }
  }

  private async part(part: 'train' | 'val', set: ImageFileSet): Promise<ShardPart> {
    const complete: ShardPart['shards'] = []
    const fileOf = (number: number) => `${part}-${String(number).padStart(5, '0')}.shard`
    const note = async (file: string) => {
      const { header } = await readShard(join(this.out, file))
      const { bytes, images, checksum } = header
      complete.push({ file, bytes, images, checksum })
      return header
    }
    let position = 0
    let passedOver = 0
    while (existsSync(join(this.out, fileOf(complete.length)))) {
      const { first, end, images } = await note(fileOf(complete.length))
      if (first !== position)
        throw new InvalidArgument(`${join(this.out, fileOf(complete.length - 1))} does not follow the shard before it`)
      passedOver += end - first - images
      position = end
    }
    this.done += position
    this.passedOver += passedOver
    let writer: ShardWriter | undefined
    const finish = async (end: number) => {
      const file = fileOf(complete.length)
      await writer!.finish(end)
      writer = undefined
      await note(file)
    }
    try {
      for await (const { index, bytes, checksum, fault } of this.recoded(set, position)) {
        this.options.signal?.throwIfAborted()
        this.done += 1
        if (fault !== undefined) {
          passedOver += 1
          this.passOver(fault)
          continue
        }
        if (writer && writer.bytes + bytes.length > this.options.shardBytes) {
          await finish(index)
          position = index
        }
        writer ??= await ShardWriter.create(join(this.out, fileOf(complete.length)), position)
        await writer.add(bytes, { checksum, label: set.labels[index]!, name: this.nameOf(part, set, index) })
        this.bytes += bytes.length
        position = index + 1
      }
      if (writer) await finish(set.names.length)
    } finally {
      await writer?.discard()
    }
    if (complete.length === 0) throw new InvalidArgument(`${set.root}: none of its images for ${part} can be read`)
    return { passedOver, shards: complete }
  }

  /** The images from `first` on in their order: while those of one chunk are written, the next is decoded. */
  private async *recoded(set: ImageFileSet, first: number) {
    const { format, size, quality, workers: threads } = this.options
    const files = new ImageFiles(set.root, set.names, set.labels, set.pieces)
    const total = set.names.length
    const start = (from: number): Promise<RecodedImages> | undefined => {
      if (from >= total) return undefined
      const indices = Int32Array.from({ length: Math.min(chunk, total - from) }, (_, i) => from + i)
      const result = files.recode(indices, { format, size, quality, threads })
      result.catch(() => undefined) // it is awaited later, or not at all
      return result
    }
    let coming = start(first)
    for (let from = first; coming; from += chunk) {
      const { bytes, lengths, checksums, faults } = await coming
      coming = start(from + chunk)
      let at = 0
      for (const [i, length] of lengths.entries()) {
        yield { index: from + i, bytes: bytes.subarray(at, at + length), checksum: checksums[i]!, fault: faults[i] }
        at += length
      }
      this.options.onProgress?.({ images: this.done, total: this.total, bytes: this.bytes })
    }
  }

  private passOver(fault: string): void {
    const { maxCorrupt, onCorrupt } = this.options
    this.passedOver += 1
    if (this.passedOver > maxCorrupt) {
      const before = maxCorrupt === 0 ? '' : `, and ${maxCorrupt} before it`
      throw new InvalidArgument(`${fault}${before} (more images are passed over with a higher maxCorrupt, --max-corrupt)`)
    }
    onCorrupt?.(fault)
  }

  /** What the file is called below part and class when it is unpacked. */
  private nameOf(part: string, { names, labels, pieces }: ImageFileSet, index: number): string {
    const name = names[index]!.replace(/^(\.?\/)+/, '')
    const path = pieces?.paths[pieces.files[index]!]
    const folder = `${this.images.classNames[labels[index]!]!}/`
    const below = (text: string, start: string) => (text.startsWith(start) ? text.slice(start.length) : text)
    // Members of several tar files may have one name.
    const own =
      path === undefined
        ? below(below(name, `${part}/`), folder)
        : isTar(path)
          ? `${basename(path, extname(path))}/${name}`
          : name
    const { format } = this.options
    const fits = format === 'keep' || (format === 'jpeg' ? /\.jpe?g$/i : /\.ppm$/i).test(own)
    return fits ? own : `${own}.${format === 'jpeg' ? 'jpg' : 'ppm'}`
  }
}
