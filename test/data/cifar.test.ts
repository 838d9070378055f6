import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from 'tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cifar10 } from '../../src/data/cifar10.js'
import { cifar100 } from '../../src/data/cifar100.js'
import { download } from '../../src/data/download.js'
import { find } from '../../src/data/find.js'
import * as data from '../../src/data/index.js'
import { cifar100Files, cifar10Files, pixelsOf, published, record, write } from './published_files.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eraserelu-cifar-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const image = ({ images }: data.ImageDataset, n: number) => images.subarray(n * 3072, (n + 1) * 3072)

describe.each([
  ['binary files', () => write(join(folder, 'cifar-10-batches-bin'), cifar10Files())],
  ['pickles of Python 2', () => join(published, 'cifar-10-batches-py')],
])('CIFAR-10 from %s', (_, place) => {
  it.each(['its folder', 'the folder above'])('given %s', async which => {
    const files = place()
    const { train, test } = await data.open('cifar10', { dataPath: which === 'its folder' ? files : join(files, '..') })
    expect([train.size, test.size, train.numClasses, train.shape]).toEqual([10, 2, 10, [32, 32, 3]])
    expect([...train.labels]).toEqual([0, 9, 1, 9, 2, 9, 3, 9, 4, 9])
    expect([...test.labels]).toEqual([5, 9])
    for (let n = 0; n < 10; ++n) expect(image(train, n)).toEqual(pixelsOf(n % 2, Math.floor(n / 2)))
    expect(image(test, 1)).toEqual(pixelsOf(1, 5))
  })
})

it.each([
  ['binary files', () => write(folder, cifar100Files())],
  ['pickles of Python 2', () => join(published, 'cifar-100-python')],
])('CIFAR-100 from %s, with the fine labels', async (_, place) => {
  const { train, test } = await data.open('cifar100', { dataPath: place() })
  expect([train.numClasses, [...train.labels], [...test.labels]]).toEqual([100, [0, 99, 50], [1, 99, 50]])
  expect(train.classNames![99]).toBe('worm')
  expect(new Set(train.classNames).size).toBe(100)
  for (let n = 0; n < 3; ++n) {
    expect(image(train, n)).toEqual(pixelsOf(n, 0))
    expect(image(test, n)).toEqual(pixelsOf(n, 1))
  }
})

it.each([3, 4])('reads pickles of protocol %i, as Python 3 writes them', async protocol => {
  const pickle = readFileSync(join(published, 'protocols', String(protocol)))
  const { train } = await data.open('cifar100', { dataPath: write(folder, { train: pickle, test: pickle }) })
  expect([...train.labels]).toEqual([0, 99, 50])
  expect(image(train, 2)).toEqual(pixelsOf(2, 0))
})

it('has the published normalisation and augmentation', async () => {
  const ten = await data.open('cifar10', { dataPath: published })
  const hundred = await data.open('cifar100', { dataPath: published })
  const of255 = (values: readonly number[]) => values.map(value => +(255 * value).toFixed(6))
  expect([of255(ten.mean), of255(ten.std)]).toEqual([[125.3, 123, 113.9], [63, 62.1, 66.7]]) // prettier-ignore
  expect([of255(hundred.mean), of255(hundred.std)]).toEqual([[129.3, 124.1, 112.4], [68.2, 65.4, 70.4]]) // prettier-ignore
  for (const { augment } of [ten, hundred])
    expect(augment).toEqual({ pad: 4, padMode: 'zero', flip: true, cutout: 0, randomErasing: 0 })
})

describe('names the file and what is wrong:', () => {
  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'half a record',
      { 'data_batch_2.bin': new Uint8Array(4000) },
      /data_batch_2\.bin: holds 4000 bytes, .* 3073 bytes: truncated/,
    ],
    ['no record', { 'test_batch.bin': new Uint8Array(0) }, /test_batch\.bin: holds 0 bytes/],
    ['records of CIFAR-100', { 'data_batch_1.bin': record([1, 2], 0, 0) }, /data_batch_1\.bin: holds 3074 bytes/],
    ['a label that is no class', { 'data_batch_5.bin': record([10], 0, 0) }, /data_batch_5\.bin: label 0 is 10, .* 0 to 9/],
  ])('binary, %s', async (_, wrong, message) => {
    await expect(data.open('cifar10', { dataPath: write(folder, { ...cifar10Files(), ...wrong }) })).rejects.toThrow(message)
  })

  const train = readFileSync(join(published, 'cifar-100-python/train'))
  const ten = readFileSync(join(published, 'cifar-10-batches-py/test_batch'))
  const edited = (from: string, to: string) => Buffer.from(train.toString('latin1').replace(from, to), 'latin1')
  it.each<[string, Uint8Array, RegExp]>([
    ['a truncated one', train.subarray(0, 5000), /train: offset \d+: the pickle ends at byte 5000, .*: truncated/],
    ['text', Buffer.from('version https://git-lfs'), /train: offset 0: is no pickle of protocol 2 to 4/],
    ['that of CIFAR-10', ten, /train: CIFAR-100 has a list 'fine_labels', this file has none/],
    ['protocol 5', readFileSync(join(published, 'protocols/5')), /protocol 5 is not read, only 2 to 4/],
    [
      'another function',
      edited('numpy.core.multiarray\n_reconstruct', 'os\nsystem'),
      /offset \d+: os\.system is refused: only numpy/,
    ],
    ['another type', edited('u1', 'f8'), /an array of type 'f8' is refused/],
    ['another shape', edited('K\x03M\x00\x0c', 'K\x02M\x00\x0c'), /an array of shape 2x3072 without its 6144 bytes/],
    ['a label that is no class', edited('Kce', 'K\x00e').fill(0), /is no pickle/],
  ])('pickled, %s', async (_, bytes, message) => {
    const dataPath = write(folder, { train: bytes, test: train })
    const failure = data.open('cifar100', { dataPath })
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.toThrow(join(dataPath, 'train'))
  })
})

describe('finding', () => {
  it('does not take files of CIFAR-100 for anything else: in $ERASERELU_DATA they have a folder', async () => {
    write(folder, cifar100Files())
    const env = { ERASERELU_DATA: folder, XDG_CACHE_HOME: join(folder, 'cache') }
    await expect(find(cifar100.published, { download: false }, { env })).rejects.toThrow(`${folder}: none of the files`)
    const own = write(join(folder, 'cifar100'), cifar100Files())
    expect((await find(cifar100.published, {}, { env })).folder).toBe(own)
  })

  it('names what is missing of the form that is nearly there', async () => {
    const place = write(join(folder, 'cifar-10-batches-bin'), cifar10Files())
    unlinkSync(join(place, 'data_batch_3.bin'))
    await expect(data.open('cifar10', { dataPath: folder })).rejects.toThrow(
      /CIFAR-10 \(data_batch_1\.bin, .*\) was not found.*\n.*: without cifar-10-batches-bin\/data_batch_3\.bin\n/,
    )
  })

  it('downloads the archive, checks it, and keeps the folder in it', async () => {
    const archive = 'cifar-10-binary.tar.gz'
    const source = write(join(folder, 'source/cifar-10-batches-bin'), { ...cifar10Files(), 'readme.html': Buffer.from('hello') })
    write(join(folder, 'source/other'), { 'data_batch_1.bin': Buffer.from('no') })
    await create({ gzip: true, cwd: join(source, '..'), file: join(folder, archive) }, ['cifar-10-batches-bin', 'other'])
    const packed = readFileSync(join(folder, archive))
    const server = createServer(({ url }, response) => void response.end(url === `/${archive}` ? packed : undefined))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const md5 = createHash('md5').update(packed).digest('hex')
      const env = { XDG_CACHE_HOME: folder }
      const cache = join(folder, 'eraserelu/cifar10')
      const set = { ...cifar10.published, address, downloads: [{ name: archive, md5, holds: 'cifar-10-batches-bin' }] }
      expect((await find(set, {}, { env })).folder).toBe(join(cache, 'cifar-10-batches-bin'))
      expect(readdirSync(cache)).toEqual(['cifar-10-batches-bin'])
      expect((await data.open('cifar10', { dataPath: cache })).train.size).toBe(10)
      // What is not the published archive is not even unpacked.
      await expect(download(address, cifar10.published.downloads, join(folder, 'other'))).rejects.toThrow(/MD5 is .* discarded/)
      expect(readdirSync(join(folder, 'other'))).toEqual([])
    } finally {
      server.close()
    }
  })
})
