/**
 * Reader of MAT-files of level 5, as MATLAB and SciPy write them: named arrays of numbers in column-major order, zlib-compressed or not.
 * It goes through a file piece by piece, so that the largest array is in memory once. Format: MathWorks, "MAT-File Format".
 */
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { createInflate } from 'node:zlib'
import { InvalidArgument } from '../runtime/errors.js'
import { ByteStream, EndOfStream } from './byte_stream.js'

/** An array of numbers. */
export interface MatArray {
  readonly dims: readonly number[]
  /** How its numbers are stored. */
  readonly type: NumberType
  /** In column-major order, little-endian. */
  readonly data: Buffer
}

const numberTypes = { 1: 'int8', 2: 'uint8', 3: 'int16', 4: 'uint16', 5: 'int32', 6: 'uint32', 7: 'single', 9: 'double' } as const
export type NumberType = (typeof numberTypes)[keyof typeof numberTypes]
const bytesOf: Record<NumberType, number> = { int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, single: 4, double: 8 }

const headerBytes = 128
const compressed = 15
const matrix = 14
/** Classes of arrays from double to uint64; the others are cells, structures, text and the like. */
const isNumeric = (kind: number) => kind >= 6 && kind <= 15
/** What deflate can make of a byte, at most. */
const largestExpansion = 1032

/**
 * Reads the arrays that `wanted` names; others are passed over. `allocate` may provide the bytes of an array. Throws InvalidArgument
 * that names the file, the array and what is wrong.
 */
export async function readMat<Name extends string>(
  file: string,
  wanted: readonly Name[],
  allocate: (name: Name, bytes: number) => Uint8Array = (_, bytes) => new Uint8Array(bytes),
): Promise<Record<Name, MatArray>> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new InvalidArgument(`${file}: ${reason}`, { cause })
  }
  const cannot = (error: unknown) => fail(`cannot be read (${(error as Error).message})`, error)
  const handle = await open(file).catch(cannot)
  try {
    const { size } = await handle.stat()
    const header = await piece(handle, 0, headerBytes).catch(cannot)
    if (header.length < headerBytes) fail(`holds ${size} bytes, less than the ${headerBytes} of a MAT-file's header: truncated`)
    const order = header.toString('latin1', 126, 128)
    if (order !== 'IM' || header.readUInt16LE(124) !== 0x0100)
      fail(
        header.toString('latin1', 0, 10) === 'MATLAB 7.3'
          ? 'is a MAT-file of version 7.3 (HDF5), only level 5 is read: save it with -v7'
          : 'is no little-endian MAT-file of level 5: its header does not end in version 0x0100 and IM',
      )
    const found = new Map<string, MatArray>()
    for (let at = headerBytes; at < size;) {
      const tag = await piece(handle, at, 8)
      if (tag.length < 8) fail(`offset ${at}: ends within the tag of an array: truncated`)
      const [type, bytes] = [tag.readUInt32LE(0), tag.readUInt32LE(4)]
      if (type !== compressed && type !== matrix) fail(`offset ${at}: an element of type ${type}, expected an array (14 or 15)`)
      if (bytes > size - at - 8)
        fail(`offset ${at}: an array of ${bytes} bytes, of which the file has only ${size - at - 8}: truncated`)
      if (bytes > 0) {
        const array = await readArray(file, { at: at + 8, bytes, packed: type === compressed }, wanted, allocate)
        if (array) found.set(array.name, array)
      }
      at += 8 + bytes
    }
    const missing = wanted.filter(name => !found.has(name))
    if (missing.length > 0) fail(`has no array '${missing.join("', '")}'`)
    return Object.fromEntries(found) as unknown as Record<Name, MatArray>
  } finally {
    await handle.close()
  }
}

async function piece(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, at)
  return buffer.subarray(0, bytesRead)
}

async function readArray<Name extends string>(
  file: string,
  { at, bytes, packed }: { at: number; bytes: number; packed: boolean },
  wanted: readonly Name[],
  allocate: (name: Name, bytes: number) => Uint8Array,
): Promise<(MatArray & { name: Name }) | undefined> {
  const raw = createReadStream(file, { start: at, end: at + bytes - 1 })
  const inflated = packed ? createInflate() : undefined
  if (inflated) raw.on('error', error => inflated.destroy(error)).pipe(inflated)
  const stream = new ByteStream(inflated ?? raw)
  try {
    const array = await parseArray(stream, packed ? bytes * largestExpansion : bytes, packed, wanted, allocate)
    if (array && packed && !(await stream.ended())) throw new Damage('more bytes than its sizes promise')
    return array
  } catch (error) {
    if (error instanceof InvalidArgument) throw error
    const reason = error instanceof EndOfStream ? 'ends within it: truncated' : `damaged (${(error as Error).message})`
    throw new InvalidArgument(`${file}: the array at offset ${at}: ${reason}`, { cause: error })
  } finally {
    await stream.close()
    raw.destroy()
  }
}

class Damage extends Error {}

/** `most`: how many bytes the array can have at all. */
async function parseArray<Name extends string>(
  stream: ByteStream,
  most: number,
  packed: boolean,
  wanted: readonly Name[],
  allocate: (name: Name, bytes: number) => Uint8Array,
): Promise<(MatArray & { name: Name }) | undefined> {
  if (packed) {
    const tag = await stream.take(8)
    if (tag.readUInt32LE(0) !== matrix) throw new Damage(`an element of type ${tag.readUInt32LE(0)}, expected an array`)
  }
  const flags = await element(stream, most)
  if (flags.type !== 6 || flags.data.length !== 8) throw new Damage('its flags are not where they should be')
  if (!isNumeric(flags.data[0]!)) return undefined
  const { type: sizeType, data: sizes } = await element(stream, most)
  if (sizeType !== 5 || sizes.length % 4 !== 0 || sizes.length > 4 * 32)
    throw new Damage('its dimensions are not where they should be')
  const dims = Array.from({ length: sizes.length / 4 }, (_, i) => sizes.readInt32LE(4 * i))
  const name = (await element(stream, most)).data.toString('latin1') as Name
  if (!wanted.includes(name)) return undefined
  const tag = await elementTag(stream, most)
  const type = numberTypes[tag.type as keyof typeof numberTypes] as NumberType | undefined
  if (type === undefined) throw new Damage(`'${name}' is stored as type ${tag.type}, which is none of numbers`)
  const promised = dims.reduce((product, size) => product * size, bytesOf[type])
  if (promised !== tag.bytes || dims.some(size => size < 0))
    throw new Damage(`'${name}' has ${tag.bytes} bytes, its dimensions ${dims.join('x')} need ${promised}`)
  const target = tag.small ?? allocate(name, promised)
  if (!tag.small) {
    await stream.into(target)
    await skipPadding(stream, promised)
  }
  return { name, dims, type, data: Buffer.from(target.buffer, target.byteOffset, target.byteLength) }
}

interface Tag {
  readonly type: number
  readonly bytes: number
  /** The data, where they are so few that they stand in the tag. */
  readonly small?: Buffer
}

async function elementTag(stream: ByteStream, most: number): Promise<Tag> {
  const tag = await stream.take(8)
  const packed = tag.readUInt16LE(2)
  if (packed > 4) throw new Damage(`${packed} bytes in a tag that has room for 4`)
  if (packed > 0) return { type: tag.readUInt16LE(0), bytes: packed, small: tag.subarray(4, 4 + packed) }
  const bytes = tag.readUInt32LE(4)
  if (bytes > most) throw new Damage(`an element of ${bytes} bytes within ${most}`)
  return { type: tag.readUInt32LE(0), bytes }
}

/** A small element, whole. */
async function element(stream: ByteStream, most: number): Promise<{ type: number; data: Buffer }> {
  const { type, bytes, small } = await elementTag(stream, Math.min(most, 4096))
  if (small) return { type, data: small }
  const data = await stream.take(bytes)
  await skipPadding(stream, bytes)
  return { type, data }
}

const skipPadding = (stream: ByteStream, bytes: number) => stream.take((8 - (bytes % 8)) % 8)
