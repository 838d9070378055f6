/** Reader of gzipped IDX files, the format of MNIST and Fashion-MNIST: a magic number, big-endian sizes, bytes. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { InvalidArgument } from '../runtime/errors.js'

export interface IdxArray {
  shape: number[]
  data: Uint8Array
}

const unzip = promisify(gunzip)

/** Reads an IDX file of unsigned bytes with `rank` dimensions; every defect is an error that names the file. */
export async function readIdx(file: string, rank: number): Promise<IdxArray> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new InvalidArgument(`${file}: ${reason}`, { cause })
  }
  const packed = await readFile(file).catch((error: unknown) => fail(`cannot be read (${(error as Error).message})`, error))
  const bytes = await unzip(packed).catch((error: unknown) =>
    fail(`is not a complete gzip file (${(error as Error).message})`, error),
  )
  const header = 4 + 4 * rank
  if (bytes.length < header) fail(`holds ${bytes.length} bytes, less than the ${header} of an IDX header with ${rank} dimensions`)
  const magic = 0x0800 + rank
  if (bytes.readUInt32BE(0) !== magic)
    fail(`starts with ${hex(bytes.readUInt32BE(0))}, expected ${hex(magic)} (IDX, unsigned bytes, ${rank} dimensions)`)
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const expected = header + shape.reduce((product, size) => product * size, 1)
  if (bytes.length !== expected)
    fail(
      `holds ${bytes.length} bytes, but its header (${shape.join('x')}) promises ${expected}: ${bytes.length < expected ? 'truncated' : 'damaged'}`,
    )
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, expected - header) }
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`
