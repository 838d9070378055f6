/** Packing into shards and back; and training images from folders, tar files and shards, which must be the same bytes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync,
} from 'node:fs' // prettier-ignore
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checksumOf } from '../../src/data/shard_file.js'
import { imageFolder, imagesAt, pack, shards, unpack, webDataset, type ImageFileSource } from '../../src/data/index.js'
import { InvalidArgument, Unsupported } from '../../src/runtime/errors.js'
import { FilesFeed } from '../../src/train/files_feed.js'
import { writeShapes } from '../data/shapes.js'
import { samplesOf, tarOf } from '../data/tar_files.js'

const temporary = mkdtempSync(join(tmpdir(), 'eraserelu-pack-'))
const folder = join(temporary, 'shapes')
const packed = join(temporary, 'packed')
const tars = join(temporary, 'tars')
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

/** Two tar files of the training images, one of the others, in the order of the folder. */
async function writeTars(): Promise<void> {
  const { train, test } = await imageFolder(folder)
  mkdirSync(tars)
  const write = (file: string, set: typeof train, from: number, to: number) => {
    const images = set.names.slice(from, to).map((name, i) => ({
      key: String(from + i).padStart(6, '0'),
      bytes: readFileSync(join(folder, name)),
      label: set.labels[from + i]!,
    }))
    writeFileSync(join(tars, file), tarOf(samplesOf(images)))
  }
  write('train-0.tar', train, 0, 20)
  write('train-1.tar', train, 20, train.names.length)
  write('val-0.tar', test!, 0, test!.names.length)
}

let small = 0
beforeAll(async () => {
  process.env.ERASERELU_CACHE = join(temporary, 'cache')
  writeShapes(folder)
  await writeTars()
  small = 3 * readFileSync(join(folder, 'train', 'red', '0.jpg')).length
  await pack(folder, packed, { shardBytes: small })
})

const filesOf = (root: string) =>
  (readdirSync(root, { recursive: true }) as string[])
    .filter(name => /\.\w+$/.test(name))
    .sort()
    .map(name => [
      name,
      createHash('sha256')
        .update(readFileSync(join(root, name)))
        .digest('hex'),
    ])

describe('shards', () => {
  it('give the files back byte for byte', async () => {
    const again = join(temporary, 'again')
    expect(await unpack(packed, again)).toEqual({ images: 60 })
    expect(filesOf(again)).toEqual(filesOf(folder))
    await expect(unpack(packed, again)).rejects.toThrow('again is not empty')
  })

  it('hold images up to their size, and what shards.json says', () => {
    const index = JSON.parse(readFileSync(join(packed, 'shards.json'), 'utf8')) as {
      train: { shards: { file: string; bytes: number }[] }
    }
    expect(index).toMatchObject({ version: 1, name: 'shapes', images: { format: 'keep' }, classNames: ['blue', 'green', 'red'] })
    expect(index.train.shards.length).toBeGreaterThan(10)
    for (const { file, bytes } of index.train.shards) expect(readFileSync(join(packed, file))).toHaveLength(bytes)
    expect(readdirSync(packed).filter(name => !name.endsWith('.shard'))).toEqual(['shards.json'])
  })

  it('are the bytes that docs/shards.md says', () => {
    const bytes = readFileSync(join(packed, 'train-00000.shard'))
    const number = (at: number) => Number(bytes.readBigUInt64LE(at))
    expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89ESHARD\n')
    const [version, total, images, table] = [bytes.readUInt32LE(8), number(16), number(24), number(32)]
    expect([version, total, table % 8]).toEqual([1, bytes.length, 0])
    expect([number(48), number(56)]).toEqual([0, images])
    expect(checksumOf(bytes.subarray(table))).toBe(bytes.readUInt32LE(40))
    const first = bytes.subarray(number(table), number(table + 8))
    const names = readdirSync(join(folder, 'train', 'blue')).sort()
    expect(first).toEqual(readFileSync(join(folder, 'train', 'blue', names[0]!)))
    const checksums = table + 8 * (images + 1)
    expect(bytes.readUInt32LE(checksums)).toBe(checksumOf(first))
    expect(bytes.readInt32LE(checksums + 4 * images)).toBe(0)
    const nameEnd = bytes.readUInt32LE(checksums + 8 * images)
    expect(bytes.toString('utf8', checksums + 12 * images, checksums + 12 * images + nameEnd)).toBe(names[0])
  })
})

const sizes = { trainCropSize: 20, valCropSize: 16, valResizeSize: 18 } as const
async function batches(source: ImageFileSource, first = 0): Promise<unknown[]> {
  const read: unknown[] = []
  for (const [set, training] of [
    [source.train, true],
    [source.test!, false],
  ] as const)
    // prettier-ignore
    for await (const { arrays, count } of new FilesFeed(source, set, { batchSize: 8, seed: 5, training, hold: 1 }).batches(2, training ? first : 0))
      read.push([count, Buffer.from(arrays.images as Uint8Array).toString('base64'), [...(arrays.labels as Int32Array)]])
  return read
}

describe('batches', () => {
  it('are the same from a folder, tar files and shards, with any number of threads, and from within an epoch', async () => {
    const expected = await batches(await imageFolder(folder, { ...sizes, workers: 1 }))
    expect(expected).toHaveLength(6 + 2)
    for (const workers of [1, 4])
      for (const open of [webDataset, shards]) {
        const source = await open(open === shards ? packed : tars, { ...sizes, workers })
        expect(await batches(source)).toEqual(expected)
        expect(await batches(source, 4)).toEqual(expected.slice(4))
      }
    expect((await imagesAt(tars)).train.names).toHaveLength(48)
  })

  it('of the ranks of a data-parallel training are together those of one process', async () => {
    const source = await imageFolder(folder, sizes)
    const read = async (batchSize: number, rank = 0, ranks = 1) => {
      const all: { images: Buffer; labels: number[] }[] = []
      const feed = new FilesFeed(source, source.train, { batchSize, seed: 5, training: true, hold: 1, rank, ranks })
      for await (const { arrays } of feed.batches(2))
        all.push({ images: Buffer.from(arrays.images as Uint8Array), labels: [...(arrays.labels as Int32Array)] })
      return all
    }
    const [whole, first, second] = [await read(8), await read(4, 0, 2), await read(4, 1, 2)]
    expect(whole).toHaveLength(6)
    expect(first.map(({ images }, i) => Buffer.concat([images, second[i]!.images]))).toEqual(whole.map(({ images }) => images))
    expect(first.map(({ labels }, i) => [...labels, ...second[i]!.labels])).toEqual(whole.map(({ labels }) => labels))
  })
})

describe('pack', () => {
  const shardsOf = (root: string) => filesOf(root).filter(([name]) => name!.endsWith('.shard'))

  it('packs tar files, and shards again', async () => {
    const [fromTars, again] = [join(temporary, 'from-tars'), join(temporary, 'from-tars-again')]
    const result = await pack(tars, fromTars)
    expect(result).toMatchObject({ images: 60, passedOver: 0, shards: 2, classes: 3 })
    await unpack(fromTars, again)
    const names = filesOf(again).map(([name]) => name)
    expect(names).toContain('train/0/train-0/000000.jpg')
    expect(filesOf(again).map(([, bytes]) => bytes).sort()).toEqual(filesOf(folder).map(([, bytes]) => bytes).sort()) // prettier-ignore
    const second = join(temporary, 'second')
    await pack(fromTars, second)
    expect(shardsOf(second)).toEqual(shardsOf(fromTars))
  })

  it('encodes JPEGs and pixels of a size', async () => {
    for (const format of ['jpeg', 'raw'] as const) {
      const out = join(temporary, format)
      await pack(folder, out, { format, size: 12 })
      const files = join(temporary, `${format}-files`)
      await unpack(out, files)
      const [name] = filesOf(files)[0]!
      expect(name).toMatch(format === 'jpeg' ? /blue\/\d+\.jpg$/ : /blue\/\d+\.jpg\.ppm$/)
      if (format === 'raw') expect(readFileSync(join(files, name!)).subarray(0, 2).toString()).toBe('P6')
      const one = { ...sizes, valResizeSize: 16 }
      expect(await batches(await imageFolder(files, one))).toHaveLength(8)
      expect((await batches(await shards(out, one))).slice(6)).toEqual((await batches(await imageFolder(files, one))).slice(6))
    }
  })

  it('goes on where it was stopped, to the same shards', async () => {
    const out = join(temporary, 'stopped')
    const control = new AbortController()
    const onProgress = () => control.abort(new Error('enough'))
    const options = { shardBytes: small }
    await expect(pack(folder, out, { ...options, signal: control.signal, onProgress, workers: 1 })).rejects.toThrow('enough')
    // As a kill leaves it: two shards, and the third begun.
    for (const file of readdirSync(out)) if (file.endsWith('.shard') && file > 'train-00001.shard') rmSync(join(out, file))
    writeFileSync(join(out, 'train-00002.shard.new'), 'half')
    await expect(imagesAt(out)).rejects.toThrow("the packing there is not complete; go on with 'eraserelu pack'")
    await expect(pack(folder, out)).rejects.toThrow('of other images or with other options')
    const progress: number[] = []
    const result = await pack(folder, out, { ...options, onProgress: ({ images, total }) => progress.push(images / total) })
    expect(result).toMatchObject({ images: 60, passedOver: 0 })
    expect(progress.at(-1)).toBe(1)
    expect(filesOf(out)).toEqual(filesOf(packed))
    await expect(pack(folder, out, options)).rejects.toThrow('holds complete shards already')
  })

  it('keeps a second one out of the folder; the lock of a process that has ended is void', async () => {
    const out = join(temporary, 'locked')
    const both = await Promise.allSettled([pack(folder, out), pack(folder, out)])
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refused = both.find(result => result.status === 'rejected')
    expect(refused?.reason).toBeInstanceOf(InvalidArgument)
    expect(String(refused?.reason)).toMatch(/this process is packing into .*locked: wait for it to end, or give another folder/)
    expect(filesOf(out).map(([name]) => name)).toEqual(['shards.json', 'train-00000.shard', 'val-00000.shard'])
    const after = join(temporary, 'locked-before')
    mkdirSync(after)
    writeFileSync(join(after, 'pack.lock'), `4000000 ${hostname()} 1 ${statSync(after).ino}\n`)
    await pack(folder, after)
    expect(filesOf(after)).toEqual(filesOf(out))
  })

  it('names images that cannot be read, and passes over as many as allowed, also when it goes on', async () => {
    const faulty = join(temporary, 'faulty')
    cpSync(folder, faulty, { recursive: true })
    const names = readdirSync(join(faulty, 'train', 'green')).sort()
    const [one, two] = [names[3]!, names[4]!].map(name => join(faulty, 'train', 'green', name)) as [string, string]
    truncateSync(one, readFileSync(one).length - 40)
    writeFileSync(two, 'no image')
    const out = join(temporary, 'faulty-packed')
    const options = { shardBytes: small / 2 }
    await expect(pack(faulty, out, options)).rejects.toThrow(/green\/\d+\.jpg: truncated.*--max-corrupt/)
    const first = readdirSync(out).filter(name => name.endsWith('.shard'))
    expect(first.length).toBeGreaterThan(2)
    await expect(pack(faulty, out, { ...options, maxCorrupt: 1 })).rejects.toThrow(two)
    const faults: string[] = []
    const result = await pack(faulty, out, { ...options, maxCorrupt: 2, onCorrupt: fault => faults.push(fault) })
    expect(result).toMatchObject({ images: 58, passedOver: 2 })
    // As a kill before the index leaves it: what was passed over before counts.
    renameSync(join(out, 'shards.json'), join(temporary, 'index'))
    const last = readdirSync(out).filter(name => name.startsWith('val')).sort().at(-1)! // prettier-ignore
    rmSync(join(out, last))
    const other = join(temporary, 'faulty-plan')
    await expect(pack(faulty, other, { ...options, maxCorrupt: 0 })).rejects.toThrow(InvalidArgument)
    cpSync(join(other, 'packing.json'), join(out, 'packing.json'))
    expect(await pack(faulty, out, { ...options, maxCorrupt: 2 })).toMatchObject({ images: 58, passedOver: 2 })
    expect(readFileSync(join(out, 'shards.json'), 'utf8')).toBe(readFileSync(join(temporary, 'index'), 'utf8'))
  })

  it('survives a kill at any moment', async () => {
    const out = join(temporary, 'killed')
    const program = `
      import { pack } from ${JSON.stringify(join(import.meta.dirname, '../../src/data/index.ts'))}
      let told = 0
      await pack(${JSON.stringify(folder)}, ${JSON.stringify(out)}, { shardBytes: ${small}, workers: 1 })`
    const script = join(temporary, 'pack.mts')
    writeFileSync(script, program)
    let kills = 0
    for (let wait = 1; !existsSync(join(out, 'shards.json')) && kills < 6; ++wait) {
      try {
        execFileSync(process.execPath, ['--import', 'tsx', script], {
          timeout: 400 + 300 * wait,
          killSignal: 'SIGKILL',
          stdio: 'pipe',
        })
      } catch {
        kills += 1
      }
    }
    if (!existsSync(join(out, 'shards.json'))) await pack(folder, out, { shardBytes: small })
    rmSync(join(out, 'pack.lock'), { force: true }) // of one killed after its last file
    expect(filesOf(out)).toEqual(filesOf(packed))
  }, 60_000)

  const wrong: [object, RegExp][] = [
    [{ format: 'png' }, /format must be one of/],
    [{ size: 100 }, /size is for format 'jpeg' and 'raw'/],
    [{ format: 'raw', quality: 3 }, /quality is for format 'jpeg'/],
    [{ format: 'jpeg', quality: 101 }, /quality must be 1 to 100/],
    [{ shardBytes: 0 }, /shardBytes must be an integer/],
    [{ shardByte: 1 }, /unknown option 'shardByte'/],
  ]
  it.each(wrong)('refuses %j', async (options, message) => {
    await expect(pack(folder, join(temporary, 'none'), options)).rejects.toThrow(message)
  })

  it('refuses a folder that holds something else, and a source of nothing', async () => {
    await expect(pack(folder, folder)).rejects.toThrow('shapes is not empty')
    await expect(pack(join(temporary, 'nowhere'), join(temporary, 'none'))).rejects.toThrow('there is no such folder or file')
    mkdirSync(join(temporary, 'nothing'))
    await expect(pack(join(temporary, 'nothing'), join(temporary, 'none'))).rejects.toThrow(
      /has no images that are known. Looked for: /,
    )
  })
})

describe('damaged shards', () => {
  let number = 0
  function copy(): string {
    const root = join(temporary, `damaged-${++number}`)
    cpSync(packed, root, { recursive: true })
    return root
  }
  const change = (file: string, at: number, how: (byte: number) => number = byte => byte ^ 1) => {
    const bytes = readFileSync(file)
    bytes[at] = how(bytes[at]!)
    writeFileSync(file, bytes)
  }
  const shard = 'train-00001.shard'
  const size = () => readFileSync(join(packed, shard)).length

  it.each([
    [
      'a shard that is cut off',
      (root: string) => truncateSync(join(root, shard), size() - 1),
      /00001\.shard: truncated: its header promises \d+ bytes/,
    ],
    ['a very short shard', (root: string) => truncateSync(join(root, shard), 10), /00001\.shard: truncated: 10 bytes/],
    [
      'a longer shard',
      (root: string) => writeFileSync(join(root, shard), 'x', { flag: 'a' }),
      /00001\.shard: damaged: its header promises/,
    ],
    ['a missing shard', (root: string) => rmSync(join(root, shard)), /00001\.shard: cannot be read \(ENOENT/],
    ['another file', (root: string) => writeFileSync(join(root, shard), Buffer.alloc(100)), /00001\.shard: not a shard/],
    ['a changed header', (root: string) => change(join(root, shard), 24), /00001\.shard: damaged: its header/],
    ['a changed table', (root: string) => change(join(root, shard), size() - 1), /00001\.shard: damaged: its table/],
    [
      'another version',
      (root: string) => change(join(root, shard), 8, () => 2),
      /00001\.shard: a shard of version 2; .* version 1/,
    ],
    [
      'shards of two packings',
      (root: string) => cpSync(join(root, 'train-00000.shard'), join(root, shard)),
      /00001\.shard: not the shard that/,
    ],
    [
      'an index that is cut off',
      (root: string) => truncateSync(join(root, 'shards.json'), 200),
      /shards\.json: truncated or damaged/,
    ],
    ['no index at all', (root: string) => rmSync(join(root, 'shards.json')), /shards\.json: cannot be read/],
    ['another index', (root: string) => writeFileSync(join(root, 'shards.json'), '[1]'), /shards\.json: not an index of shards/],
    [
      'an index of a later version',
      (root: string) => writeFileSync(join(root, 'shards.json'), '{"version": 2}'),
      /version 2; .* version 1/,
    ],
    [
      'a path out of the folder',
      (root: string) => {
        const file = join(root, 'shards.json')
        writeFileSync(file, readFileSync(file, 'utf8').replace(shard, `../packed/${shard}`))
      },
      /shards\.json: not an index of shards \(train\.shards\.1\.file/,
    ],
  ] as const)('%s: refused', async (_, damage, message) => {
    const root = copy()
    damage(root)
    const opening = shards(root)
    await expect(opening).rejects.toThrow(message)
    await expect(opening).rejects.toThrow(root)
    await opening.catch((error: unknown) => expect(error instanceof InvalidArgument || error instanceof Unsupported).toBe(true))
  })

  it('a changed image: found when it is read, and named with shard, offset and file', async () => {
    const root = copy()
    change(join(root, shard), 64 + 500)
    const source = await shards(root, sizes)
    const message = new RegExp(`${shard}, byte 64 \\(\\d+\\.jpg\\): damaged: the bytes do not have the checksum`)
    await expect(batches(source)).rejects.toThrow(message)
    await expect(unpack(root, join(temporary, `unpacked-${number}`))).rejects.toThrow(message)
    await expect(pack(root, join(temporary, `packed-${number}`))).rejects.toThrow(message)
  })
})
