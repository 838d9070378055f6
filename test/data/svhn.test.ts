import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as data from '../../src/data/index.js'
import { readMat } from '../../src/data/mat.js'
import { pixelsOf, published, write } from './published_files.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eraserelu-svhn-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const image = ({ images }: data.ImageDataset, n: number) => images.subarray(n * 3072, (n + 1) * 3072)
const [train, extra, test] = ['train', 'extra', 'test'].map(name => readFileSync(join(published, `${name}_32x32.mat`))) as [
  Buffer,
  Buffer,
  Buffer,
]

it('reads compressed files, whose label 10 is the digit 0', async () => {
  const source = await data.open('svhn', { dataPath: published })
  expect([[...source.train.labels], [...source.test.labels]]).toEqual([[1, 0, 3], [5, 0]]) // prettier-ignore
  for (let n = 0; n < 3; ++n) expect(image(source.train, n)).toEqual(pixelsOf(n, 0))
  expect(image(source.test, 1)).toEqual(pixelsOf(1, 2))
  expect(source.augment).toEqual(data.noAugment)
  expect(source.train).toMatchObject({ size: 3, shape: [32, 32, 3], numClasses: 10 })
})

it('puts the extra images, here uncompressed, behind the training images', async () => {
  const source = await data.open('svhn-extra', { dataPath: published })
  expect([...source.train.labels]).toEqual([1, 0, 3, 2, 9, 0, 4])
  for (let n = 0; n < 3; ++n) expect(image(source.train, n)).toEqual(pixelsOf(n, 0))
  for (let n = 0; n < 4; ++n) expect(image(source.train, 3 + n)).toEqual(pixelsOf(n, 1))
  expect(source.test.size).toBe(2)
})

it('needs the file of the extra images only where they are asked for', async () => {
  const dataPath = write(folder, { 'train_32x32.mat': train, 'test_32x32.mat': test })
  expect((await data.open('svhn', { dataPath })).train.size).toBe(3)
  await expect(data.open('svhn-extra', { dataPath })).rejects.toThrow(`${folder}: without extra_32x32.mat`)
})

/** The uncompressed file with an array compressed, its content changed by `change`. */
function repacked(change: (array: Buffer) => Buffer): Buffer {
  const size = extra.readUInt32LE(132)
  const packed = deflateSync(change(Buffer.from(extra.subarray(128, 136 + size))))
  const tag = Buffer.alloc(8)
  tag.writeUInt32LE(15)
  tag.writeUInt32LE(packed.length, 4)
  return Buffer.concat([extra.subarray(0, 128), tag, packed, extra.subarray(136 + size)])
}
const edited = (offset: number, ...values: number[]) => {
  const copy = Buffer.from(extra)
  values.forEach((value, i) => (copy[offset + i] = value))
  return copy
}
const hdf5 = Buffer.concat([Buffer.from('MATLAB 7.3 MAT-file'.padEnd(124)), Buffer.from([0, 2, 0x49, 0x4d])])
const y = extra.length - 4 * 8

describe('names the file and what is wrong:', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['a truncated header', train.subarray(0, 100), /holds 100 bytes, less than the 128 of a MAT-file's header/],
    [
      'a file cut in an array',
      train.subarray(0, 900),
      /offset 128: an array of \d+ bytes, of which the file has only \d+: truncated/,
    ],
    ['a file cut between arrays', extra.subarray(0, 136 + extra.readUInt32LE(132)), /has no array 'y'/],
    ['version 7.3', hdf5, /version 7\.3 \(HDF5\), only level 5 is read: save it with -v7/],
    ['another format', Buffer.alloc(300), /is no little-endian MAT-file of level 5/],
    ['other arrays', readFileSync(join(published, 'other.mat')), /has no array 'y'/],
    ['a damaged compressed array', Buffer.from(train).fill(0, 400, 420), /the array at offset 136: damaged/],
    ['a compressed array that ends early', repacked(array => array.subarray(0, 3000)), /the array at offset 136: ends within it/],
    ['a compressed array with more bytes', repacked(array => Buffer.concat([array, array])), /more bytes than its sizes promise/],
    ['a dimension that does not fit', edited(136 + 16 + 8, 33), /'X' has 12288 bytes, its dimensions 33x32x3x4 need 12672/],
    ['a label that is none', edited(y, 0, 0, 0, 0, 0, 0, 0x26, 0x40), /label 0 is 11, SVHN has labels 1 to 10/],
    ['a label that is no number', edited(y + 6, 0xf8, 0x7f), /label 0 is NaN/],
  ])('%s', async (_, bytes, message) => {
    const dataPath = write(folder, { 'train_32x32.mat': bytes, 'test_32x32.mat': test })
    const failure = data.open('svhn', { dataPath })
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.toThrow(join(dataPath, 'train_32x32.mat'))
  })

  it('reads what was repacked without a change', async () => {
    const dataPath = write(folder, { 'train_32x32.mat': repacked(array => array), 'test_32x32.mat': test })
    expect(image((await data.open('svhn', { dataPath })).train, 3)).toEqual(pixelsOf(3, 1))
  })

  it('a file that is not there', async () => {
    await expect(readMat(join(folder, 'none.mat'), ['X'])).rejects.toThrow(/none\.mat: cannot be read \(ENOENT/)
  })
})

it('passes over arrays of other kinds', async () => {
  const { X } = await readMat(join(published, 'other.mat'), ['X'])
  expect([X.dims, X.type, X.data.readDoubleLE(16)]).toEqual([[1, 3], 'double', 2])
})
