import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, it } from 'vitest'
import { readIdx } from '../../src/data/idx.js'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { idx } from './idx_files.js'

const folder = mkdtempSync(join(tmpdir(), 'eraserelu-idx-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = join(folder, 'some-idx3-ubyte.gz')
const images = Uint8Array.from({ length: 24 }, (_, i) => 10 * i)

it('reads shape and bytes', async () => {
  writeFileSync(file, gzipSync(idx([2, 3, 4], images)))
  expect(await readIdx(file, 3)).toEqual({ shape: [2, 3, 4], data: images })
})

it.each<[string, Buffer, RegExp]>([
  ['bytes that are not gzip', idx([2, 3, 4], images), /is not a complete gzip file/],
  ['a truncated gzip file', gzipSync(idx([2, 3, 4], images)).subarray(0, -9), /is not a complete gzip file/],
  ['a truncated header', gzipSync(Buffer.alloc(10)), /holds 10 bytes, less than the 16 of an IDX header with 3 dimensions/],
  ['another rank', gzipSync(idx([24], images)), /starts with 0x00000801, expected 0x00000803/],
  ['another type', gzipSync(idx([2, 3, 4], images, 0x0d03)), /starts with 0x00000d03/],
  ['too few bytes', gzipSync(idx([3, 3, 4], images)), /holds 40 bytes, but its header \(3x3x4\) promises 52: truncated/],
  ['too many bytes', gzipSync(idx([1, 3, 4], images)), /holds 40 bytes, but its header \(1x3x4\) promises 28: damaged/],
])('names the file and %s', async (_, bytes, message) => {
  writeFileSync(file, bytes)
  const failure = readIdx(file, 3)
  await expect(failure).rejects.toBeInstanceOf(InvalidArgument)
  await expect(failure).rejects.toThrow(message)
  await expect(failure).rejects.toThrow(file)
})

it('names a file that is not there', async () => {
  await expect(readIdx(join(folder, 'none.gz'), 1)).rejects.toThrow(/none\.gz: cannot be read \(ENOENT/)
})
