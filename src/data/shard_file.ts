/** One shard: a header, the images one after the other, and a table of them. docs/shards.md describes every byte. */
import type * as Crc32c from 'crc-32/crc32c.js'
import { dependency } from '../runtime/dependency.js'
import { InvalidArgument, Unsupported } from '../runtime/errors.js'
import { FileWindow } from './file_window.js'

const crc32c = dependency('crc-32/crc32c.js') as () => typeof Crc32c

const magic = Buffer.from('\x89ESHARD\n', 'latin1')
export const shardVersion = 1
export const headerBytes = 64

export const checksumOf = (bytes: Uint8Array): number => crc32c().buf(bytes) >>> 0

/** What a shard holds; an element an image. */
export interface ShardTable {
  /** Of its bytes in the file, and one more: where the last one ends. */
  readonly offsets: Float64Array
  /** CRC-32C of its bytes. */
  readonly checksums: Uint32Array
  readonly labels: Int32Array
  readonly names: readonly string[]
}

/** What a shard says of itself. */
export interface ShardHeader {
  /** Of the whole file. */
  readonly bytes: number
  readonly images: number
  /** The images of the source that it is made of: [first, end). */
  readonly first: number
  readonly end: number
  /** Of the header; it depends on every byte of the file through the checksums in it. */
  readonly checksum: number
}

const writeU64 = (to: Buffer, value: number, at: number) => {
  to.writeUInt32LE(value % 2 ** 32, at)
  to.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4)
}
const readU64 = (from: Buffer, at: number) => from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 2 ** 32

export function encodeTable({ offsets, checksums, labels, names }: ShardTable): Buffer {
  const count = labels.length
  const texts = names.map(name => Buffer.from(name))
  const fixed = Buffer.alloc(8 * (count + 1) + 12 * count)
  let [at, nameEnd] = [0, 0]
  for (const offset of offsets) at = (writeU64(fixed, offset, at), at + 8)
  for (const checksum of checksums) at = fixed.writeUInt32LE(checksum, at)
  for (const label of labels) at = fixed.writeInt32LE(label, at)
  for (const text of texts) at = fixed.writeUInt32LE((nameEnd += text.length), at)
  return Buffer.concat([fixed, ...texts])
}

/** `tableAt`: where the table begins, a multiple of 8. */
export function encodeHeader(
  tableAt: number,
  table: Buffer,
  { images, first, end }: Pick<ShardHeader, 'images' | 'first' | 'end'>,
): Buffer {
  const header = Buffer.alloc(headerBytes)
  magic.copy(header)
  header.writeUInt32LE(shardVersion, 8)
  const numbers = [tableAt + table.length, images, tableAt]
  numbers.forEach((value, i) => writeU64(header, value, 16 + 8 * i))
  header.writeUInt32LE(checksumOf(table), 40)
  writeU64(header, first, 48)
  writeU64(header, end, 56)
  header.writeUInt32LE(checksumOf(header), 12)
  return header
}

/** Reads what a shard says of itself, but not its images. Throws InvalidArgument that names the file and what is wrong. */
export function readShard(file: string): Promise<{ header: ShardHeader; table: ShardTable }> {
  return FileWindow.over(file, async window => {
    const fail = (reason: string): never => {
      throw new InvalidArgument(`${file}: ${reason}`)
    }
    const { size } = window
    if (size < headerBytes) fail(`truncated: ${size} bytes, a shard has at least ${headerBytes}`)
    const bytes = Buffer.from(await window.read(0, headerBytes))
    if (!bytes.subarray(0, magic.length).equals(magic)) fail('not a shard of this package')
    const version = bytes.readUInt32LE(8)
    if (version !== shardVersion)
      throw new Unsupported(`${file}: a shard of version ${version}; this version of the package reads version ${shardVersion}`)
    const checksum = bytes.readUInt32LE(12)
    bytes.writeUInt32LE(0, 12)
    if (checksumOf(bytes) !== checksum) fail('damaged: its header does not have the checksum that it states')
    const [total, images, tableAt] = [readU64(bytes, 16), readU64(bytes, 24), readU64(bytes, 32)] as const
    if (size !== total)
      fail(`${size < total ? 'truncated' : 'damaged'}: its header promises ${total} bytes, the file has ${size}`)
    if (tableAt > total || total - tableAt < 8 + 20 * images) fail('damaged: its table does not fit')
    const table = Buffer.from(await window.read(tableAt, total - tableAt))
    if (checksumOf(table) !== bytes.readUInt32LE(40)) fail('damaged: its table does not have the checksum that the header states')
    const header = { bytes: total, images, first: readU64(bytes, 48), end: readU64(bytes, 56), checksum }
    return { header, table: decodeTable(table, images, tableAt, fail) }
  })
}

function decodeTable(bytes: Buffer, count: number, tableAt: number, fail: (reason: string) => never): ShardTable {
  const offsets = Float64Array.from({ length: count + 1 }, (_, i) => readU64(bytes, 8 * i))
  const at = 8 * (count + 1)
  const checksums = Uint32Array.from({ length: count }, (_, i) => bytes.readUInt32LE(at + 4 * i))
  const labels = Int32Array.from({ length: count }, (_, i) => bytes.readInt32LE(at + 4 * (count + i)))
  const texts = bytes.subarray(at + 12 * count)
  let nameAt = 0
  const names = Array.from({ length: count }, (_, i) => {
    const end = bytes.readUInt32LE(at + 4 * (2 * count + i))
    if (end < nameAt || end > texts.length) fail(`damaged: the name of image ${i} does not fit`)
    const name = texts.toString('utf8', nameAt, end)
    if (name.includes('\0')) fail(`damaged: a zero byte in the name of image ${i}`)
    nameAt = end
    return name
  })
  let before = headerBytes
  for (const [i, offset] of offsets.entries()) {
    if (offset < before || offset > tableAt) fail(`damaged: image ${i} lies at byte ${offset}`)
    before = offset
  }
  return { offsets, checksums, labels, names }
}
