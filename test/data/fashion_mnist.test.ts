import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { download, type PublishedFile } from '../../src/data/download.js'
import { fashionMnist } from '../../src/data/fashion_mnist.js'
import { find as findPublished, type FindOptions, type Published } from '../../src/data/find.js'
import * as data from '../../src/data/index.js'
import { fourFiles, idx, writeFiles } from './idx_files.js'

const debian = '/usr/share/datasets/fashion-mnist'
/** Nothing listens there, so a download fails at once. */
const nowhere = 'http://127.0.0.1:1'
const files = fourFiles(20, 10)
interface Places {
  env: NodeJS.ProcessEnv
  address: string
}
const around = (env: NodeJS.ProcessEnv = {}, address = nowhere): Places => ({ env, address })
const setAt = (address: string): Published => ({
  ...fashionMnist,
  address,
  system: { ...fashionMnist.system!, folder: join(folder, 'system') },
})
const find = async (options: FindOptions, { env, address }: Places) =>
  (await findPublished(setAt(address), options, { env })).folder

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eraserelu-fashion-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('find', () => {
  it('takes the data path, or the folder fashion-mnist in it', async () => {
    writeFiles(join(folder, 'fashion-mnist'), files)
    expect(await find({ dataPath: folder }, around())).toBe(join(folder, 'fashion-mnist'))
    writeFiles(folder, files)
    expect(await find({ dataPath: folder }, around())).toBe(folder)
  })

  it('takes $ERASERELU_DATA before any other place', async () => {
    writeFiles(join(folder, 'fashion-mnist'), files)
    expect(await find({}, around({ ERASERELU_DATA: folder }))).toBe(join(folder, 'fashion-mnist'))
  })

  it('takes the folders of torchvision, and unzipped files', async () => {
    const unzipped = Object.entries(files).map(([name, bytes]) => [name.replace('.gz', ''), gunzipSync(bytes)])
    const raw = writeFiles(join(folder, 'FashionMNIST/raw'), Object.fromEntries(unzipped) as typeof files)
    expect(await find({ dataPath: folder }, around())).toBe(raw)
    const source = await data.open('fashion-mnist', { dataPath: folder })
    expect([source.train.size, source.train.images[784]]).toEqual([20, 784 % 251])
  })

  it('says what a data path lacks, and looks nowhere else', async () => {
    writeFiles(folder, files)
    unlinkSync(join(folder, 't10k-labels-idx1-ubyte.gz'))
    const failure = find({ dataPath: folder }, around())
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(failure).rejects.toThrow(`${folder}: without t10k-labels-idx1-ubyte.gz`)
    await expect(failure).rejects.toThrow(`${join(folder, 'fashion-mnist')}: no such folder`)
    await expect(failure).rejects.not.toThrow('system')
  })

  it('takes the system folder, then the cache', async () => {
    const cache = writeFiles(join(folder, 'eraserelu/fashion-mnist'), files)
    expect(await find({}, around({ XDG_CACHE_HOME: folder }))).toBe(cache)
    const system = writeFiles(join(folder, 'system'), files)
    expect(await find({}, around({ XDG_CACHE_HOME: folder }))).toBe(system)
  })

  it('names every place when offline, and what to do', async () => {
    const failure = find({}, around({ ERASERELU_DATA: folder, XDG_CACHE_HOME: join(folder, 'cache') }))
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const places = [folder, join(folder, 'fashion-mnist'), join(folder, 'system'), join(folder, 'cache/eraserelu/fashion-mnist')]
    for (const place of places) await expect(failure).rejects.toThrow(`${place}: n`)
    await expect(failure).rejects.toThrow(
      /download from http:\/\/127[^]*What would work: install Debian's package dataset-fashion-mnist/,
    )
  })
})

describe('reading', () => {
  it('opens the four files', async () => {
    const source = await data.open('fashion-mnist', { dataPath: writeFiles(folder, files) })
    expect([source.train.size, source.test.size]).toEqual([20, 10])
    expect(source.train.images[784]).toBe(784 % 251)
    expect(source.train.labels[13]).toBe(3)
  })

  it.each<[string, Record<string, Buffer>, RegExp]>([
    [
      'labels of another count',
      { 'train-labels-idx1-ubyte.gz': gzipSync(idx([2], Uint8Array.of(1, 2))) },
      /has 20 images but .* has 2 labels/,
    ],
    [
      'a label that is no class',
      { 't10k-labels-idx1-ubyte.gz': gzipSync(idx([10], new Uint8Array(10).fill(10, 7))) },
      /label 7 is 10/,
    ],
    ['images of another size', { 'train-images-idx3-ubyte.gz': gzipSync(idx([1, 2, 2], new Uint8Array(4))) }, /images are 2x2/],
  ])('refuses %s', async (_, wrong, message) => {
    await expect(data.open('fashion-mnist', { dataPath: writeFiles(folder, { ...files, ...wrong }) })).rejects.toThrow(message)
  })

  it('finds the published data set in the Debian package', context => {
    context.skip(!existsSync(debian), `${debian} is not there`)
    for (const { name, sha256 } of fashionMnist.downloads)
      expect(
        createHash('sha256')
          .update(gunzipSync(readFileSync(join(debian, name))))
          .digest('hex'),
      ).toBe(sha256)
  })
})

describe('download', () => {
  let server: Server
  let address: string
  let asked: string[]
  let answer: (name: string) => Buffer | undefined

  const digest = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex')
  const published: PublishedFile[] = Object.entries(files).map(([name, bytes]) => ({
    name,
    md5: digest('md5', bytes),
    sha256: digest('sha256', gunzipSync(bytes)),
  }))

  beforeEach(async () => {
    asked = []
    answer = name => files[name]
    server = createServer((request, response) => {
      const name = request.url!.slice(1)
      asked.push(name)
      const bytes = answer(name)
      if (bytes) response.end(bytes)
      else response.writeHead(404).end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => server.close())

  it('fetches what is missing, once', async () => {
    const cache = join(folder, 'a/b')
    await download(address, published, cache)
    expect(readdirSync(cache).sort()).toEqual(Object.keys(files).sort())
    for (const [name, bytes] of Object.entries(files)) expect(readFileSync(join(cache, name)).equals(bytes)).toBe(true)
    unlinkSync(join(cache, published[1]!.name))
    await download(address, published, cache)
    expect(asked.slice(4)).toEqual([published[1]!.name])
  })

  it('keeps nothing of a damaged file', async () => {
    answer = name => files[name]!.subarray(0, 100)
    await expect(download(address, published, folder)).rejects.toThrow(/train-images-idx3-ubyte\.gz: MD5 is .* discarded/)
    expect(readdirSync(folder)).toEqual([])
  })

  it('compares the content too', async () => {
    const [first, ...others] = published
    await expect(download(address, [{ ...first!, sha256: '0' }, ...others], folder)).rejects.toThrow(/not the published data set/)
    expect(readdirSync(folder)).toEqual([])
  })

  it('says what the server or the network answered', async () => {
    answer = () => undefined
    await expect(download(address, published, folder)).rejects.toThrow(
      `${address}/train-images-idx3-ubyte.gz: HTTP 404 Not Found`,
    )
    await expect(download(nowhere, published, folder)).rejects.toThrow(/ubyte\.gz: (bad port|.*ECONNREFUSED)/)
  })

  it('goes to the cache folder, unless it is switched off', async () => {
    const places = around({ XDG_CACHE_HOME: folder }, address)
    await expect(find({ download: false }, places)).rejects.toThrow(`${address}: not tried, downloading is switched off`)
    expect(asked).toEqual([])
    // What this server has is not the published data set.
    await expect(find({}, places)).rejects.toThrow(/MD5/)
    expect(asked).toEqual(['train-images-idx3-ubyte.gz'])
  })
})
