import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  decodeSafetensors,
  safetensorsParts,
  readSafetensors,
  writeSafetensors,
  type StoredTensor,
} from '../../src/interop/safetensors.js'
import { InvalidArgument, OutputError, Unsupported } from '../../src/runtime/errors.js'
import { python } from '../python/python.js'

/** The whole file. */
const encodeSafetensors = (...given: Parameters<typeof safetensorsParts>) =>
  new Uint8Array(Buffer.concat(safetensorsParts(...given)))

const folder = mkdtempSync(join(tmpdir(), 'eraserelu-safetensors-'))
afterAll(() => rmSync(folder, { recursive: true }))

const tensors: [string, StoredTensor][] = [
  ['pixels', { shape: [1, 3], data: Uint8Array.of(0, 127, 255) }],
  ['labels', { shape: [3], data: Int32Array.of(-1, 0, 2147483647) }],
  ['conv.weight', { shape: [2, 3, 2, 2], data: Float32Array.from({ length: 24 }, (_, i) => i / 8 - 1) }],
  ['bn.num_batches_tracked', { shape: [], data: BigInt64Array.of(7n) }],
  ['double', { shape: [2], data: Float64Array.of(0.1, -0) }],
  ['empty', { shape: [0, 4], data: new Float32Array(0) }],
]
const metadata = { made_by: 'safetensors.numpy', größe: 'ü' }

/** A file from any header and any number of data bytes. */
function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = Buffer.alloc(8 + json.length + dataBytes)
  bytes.writeBigUInt64LE(BigInt(json.length))
  json.copy(bytes, 8)
  return bytes
}

const f32 = (shape: unknown, begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] })

describe('writing and reading', () => {
  it('gives back every type, shape and the metadata', () => {
    const read = decodeSafetensors(encodeSafetensors(tensors, metadata), 'test')
    expect(read.metadata).toEqual(metadata)
    expect(read.tensors).toEqual(new Map(tensors))
  })

  it('writes the same bytes whatever the order of the tensors', () => {
    expect(encodeSafetensors([...tensors].reverse(), metadata)).toEqual(encodeSafetensors(tensors, metadata))
  })

  it('aligns the data to 8 bytes', () => {
    for (let length = 1; length < 20; ++length) {
      const bytes = encodeSafetensors([['x'.repeat(length), { shape: [1], data: Float32Array.of(1) }]])
      expect(Buffer.from(bytes).readBigUInt64LE() % 8n).toBe(0n)
    }
  })

  it('reads bytes at any offset of their buffer', () => {
    const bytes = encodeSafetensors(tensors, metadata)
    for (let shift = 0; shift < 8; ++shift) {
      const moved = new Uint8Array(bytes.length + shift).subarray(shift)
      moved.set(bytes)
      expect(decodeSafetensors(moved, 'test').tensors).toEqual(new Map(tensors))
    }
  })

  it('writes a view of a larger array', () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3)
    expect(decodeSafetensors(encodeSafetensors([['x', { shape: [2], data }]]), 'test').tensors.get('x')?.data).toEqual(
      Float32Array.of(2, 3),
    )
  })

  it('handles an empty file of tensors and odd names', () => {
    expect(decodeSafetensors(encodeSafetensors([]), 'test').tensors.size).toBe(0)
    const names = ['__proto__', '7', 'ключ "x"\n', '']
    const odd = names.map((name, i): [string, StoredTensor] => [name, { shape: [], data: Float32Array.of(i) }])
    expect([...decodeSafetensors(encodeSafetensors(odd), 'test').tensors.keys()].sort()).toEqual([...names].sort())
  })

  it('replaces a file as a whole and leaves nothing else behind', async () => {
    const file = join(folder, 'model.safetensors')
    writeFileSync(file, 'old')
    await writeSafetensors(file, tensors, metadata)
    expect((await readSafetensors(file)).tensors).toEqual(new Map(tensors))
    expect(readdirSync(folder)).toEqual(['model.safetensors'])
  })

  it('says which file could not be written and why, and leaves the old one', async () => {
    const missing = join(folder, 'no/such/folder')
    const error = await writeSafetensors(missing, tensors).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OutputError)
    expect((error as Error).message).toBe(`${missing} could not be written: ENOENT: no such file or directory`)
    const taken = join(folder, 'folder')
    mkdirSync(taken)
    await expect(writeSafetensors(taken, tensors)).rejects.toThrow(/folder could not be written: E/)
    expect(readdirSync(folder).sort()).toEqual(['folder', 'model.safetensors'])
    rmSync(taken, { recursive: true })
  })

  it('refuses metadata that are not texts', () => {
    expect(() => encodeSafetensors([], { step: 3 as unknown as string })).toThrow(/metadata must be texts, 'step' is number/)
  })

  it.each<[string, [string, StoredTensor][], RegExp]>([
    ['a wrong shape', [['x', { shape: [3], data: Float32Array.of(1) }]], /'x': shape \[3\] has 3 elements, data has 1/],
    ['a type it does not know', [['x', { shape: [1], data: Int16Array.of(1) as unknown as Int32Array }]], /'x': data must be/],
    ['a reserved name', [['__metadata__', { shape: [], data: Float32Array.of(1) }]], /reserved/],
    ['a name twice', [tensors[0]!, tensors[0]!], /'pixels' is there twice/],
  ])('refuses to write %s', (_, given, message) => {
    expect(() => encodeSafetensors(given)).toThrow(InvalidArgument)
    expect(() => encodeSafetensors(given)).toThrow(message)
  })
})

describe('damaged files', () => {
  it('notices every truncation', () => {
    const bytes = encodeSafetensors(tensors, metadata)
    for (let length = 0; length < bytes.length; ++length)
      expect(() => decodeSafetensors(bytes.subarray(0, length), 'cut'), `${length} bytes`).toThrow(
        /cut is not a sound safetensors file/,
      )
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['a huge header length', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 1), /header should have/],
    ['a header that is not JSON', fileOf('{"x"', 0), /not JSON/],
    ['a header that is not UTF-8', Buffer.concat([fileOf('', 0).fill(2, 0, 1), Buffer.of(0xff, 0xfe)]), /not JSON/],
    ['a header that is a list', fileOf([], 0), /not a JSON object/],
    ['an entry that is no object', fileOf({ x: 1 }, 0), /entry of tensor 'x'/],
    ['a negative size', fileOf({ x: f32([-1], 0, 4) }, 4), /shape of tensor 'x'/],
    ['offsets that are missing', fileOf({ x: { dtype: 'F32', shape: [1] } }, 4), /data_offsets of tensor 'x'/],
    ['a shape larger than its bytes', fileOf({ x: f32([2], 0, 4) }, 4), /needs 8 bytes, its data_offsets span 4/],
    ['overlap', fileOf({ x: f32([2], 0, 8), y: f32([1], 4, 8) }, 8), /'y' begins at byte 4 of the data, inside the one before/],
    ['a gap', fileOf({ x: f32([1], 0, 4), y: f32([1], 8, 12) }, 12), /'y' begins at byte 8 of the data, after a gap \(4\)/],
    ['bytes that are left over', fileOf({ x: f32([1], 0, 4) }, 5), /need 4 bytes, 5 are there/],
    ['metadata that is not text', fileOf({ __metadata__: { epoch: 1 } }, 0), /__metadata__ must map strings to strings/],
  ])('names %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'file')).toThrow(InvalidArgument)
    expect(() => decodeSafetensors(bytes, 'file')).toThrow(message)
  })

  it('says which types it reads', () => {
    const bytes = fileOf({ w: { dtype: 'BF16', shape: [1], data_offsets: [0, 2] } }, 2)
    expect(() => decodeSafetensors(bytes, 'file')).toThrow(Unsupported)
    expect(() => decodeSafetensors(bytes, 'file')).toThrow(/tensor 'w' has dtype BF16; this package reads I64, F64, F32, I32, U8/)
  })

  it('never throws anything but its own errors on flipped bits', () => {
    const bytes = encodeSafetensors(tensors, metadata)
    for (let bit = 0; bit < 8 * (bytes.length - 40); ++bit) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      try {
        decodeSafetensors(flipped, 'file')
      } catch (error) {
        expect(error instanceof InvalidArgument || error instanceof Unsupported, String(error)).toBe(true)
      }
    }
  })

  it('names a file that is not there', async () => {
    await expect(readSafetensors(join(folder, 'none'))).rejects.toThrow(/none: cannot be read/)
  })
})

describe('the reference implementation', () => {
  it('made a file that is read, and that is written byte for byte', async () => {
    const file = join(import.meta.dirname, 'python.safetensors')
    const read = await readSafetensors(file)
    expect(read.tensors).toEqual(new Map(tensors))
    expect(read.metadata).toEqual(metadata)
    expect(encodeSafetensors(tensors, read.metadata)).toEqual(new Uint8Array(readFileSync(file)))
  })

  it('reads what is written here', async () => {
    const file = join(folder, 'ours.safetensors')
    await writeSafetensors(file, tensors, metadata)
    const numpy = {
      pixels: 'uint8',
      labels: 'int32',
      'conv.weight': 'float32',
      'bn.num_batches_tracked': 'int64',
      double: 'float64',
      empty: 'float32',
    }
    const expected = tensors.map(([name, { shape, data }]): [string, unknown] => [
      name,
      [numpy[name as keyof typeof numpy], shape, Array.from<number | bigint, number>(data, Number)],
    ])
    expect(python('read_safetensors.py', file)).toEqual({ metadata, tensors: Object.fromEntries(expected) })
  })
})
