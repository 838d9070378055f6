/**
 * The readers on damaged files: whatever the bytes, an answer or an InvalidArgument that names the file, in bounded time and memory.
 * ERASERELU_FUZZ_INPUTS says how many files all readers get together (default 1000), ERASERELU_FUZZ_SEED which (default 1); with
 * ERASERELU_FUZZ_REPORT the counts are written there (npm run fuzz:data).
 */
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, expect, it } from 'vitest'
import { readIdx } from '../../src/data/idx.js'
import * as data from '../../src/data/index.js'
import { readMat } from '../../src/data/mat.js'
import { readPickle } from '../../src/data/pickle.js'
import { FileWindow } from '../../src/data/file_window.js'
import { checksumOf, encodeHeader, encodeTable, headerBytes, readShard } from '../../src/data/shard_file.js'
import { readIndex, writeIndex } from '../../src/data/shards.js'
import { scanSamples } from '../../src/data/webdataset_index.js'
import { InvalidArgument, Unsupported } from '../../src/runtime/errors.js'
import { idx } from './idx_files.js'
import { cifar10Files, published, write } from './published_files.js'
import { samplesOf, tarOf } from './tar_files.js'

const folder = mkdtempSync(join(tmpdir(), 'eraserelu-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))
const of = (name: string) => readFileSync(join(published, name))
/** Damaged files and bytes of no file, for each of the readers. */
const readers = 11
const settings = {
  numRuns: Math.ceil(Number(process.env.ERASERELU_FUZZ_INPUTS ?? 1000) / (2 * readers)),
  seed: Number(process.env.ERASERELU_FUZZ_SEED ?? 1),
}
const counts: Record<string, { inputs: number; refused: number }> = {}
afterAll(() => {
  const { ERASERELU_FUZZ_REPORT: report } = process.env
  if (report !== undefined) writeFileSync(report, JSON.stringify(counts))
})

/** What happens to a file: some bytes change, a piece is cut out or doubled, the end is missing. `from`: offsets are mostly among the first bytes. */
const damage = (length: number) => {
  const offset = fc.oneof(
    { weight: 3, arbitrary: fc.nat(Math.min(length, 400) - 1) },
    { weight: 1, arbitrary: fc.nat(length - 1) },
  )
  return fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('set' as const), offset, bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
      fc.record({ kind: fc.constant('cut' as const), offset, count: fc.nat(16) }),
      fc.record({ kind: fc.constant('double' as const), offset, count: fc.nat(64) }),
      fc.record({ kind: fc.constant('end' as const), offset }),
    ),
    { minLength: 1, maxLength: 4 },
  )
}

type Damage = ReturnType<typeof damage> extends fc.Arbitrary<infer T> ? T : never

function damaged(bytes: Buffer, changes: Damage): Buffer {
  let result = Buffer.from(bytes)
  for (const change of changes) {
    const offset = Math.min(change.offset, result.length)
    const before = result.subarray(0, offset)
    if (change.kind === 'end') result = before
    else if (change.kind === 'set') {
      const after = result.subarray(offset + change.bytes.length)
      result = Buffer.concat([before, change.bytes, after])
    } else {
      const piece = result.subarray(offset, offset + change.count)
      const after = result.subarray(offset + change.count)
      result = change.kind === 'cut' ? Buffer.concat([before, after]) : Buffer.concat([before, piece, piece, after])
    }
  }
  return result
}

/** Damaged files of every `seed` file, and bytes of no file at all. */
async function survives(reader: string, seeds: readonly Buffer[], read: (bytes: Buffer) => unknown): Promise<void> {
  const count = (counts[reader] = { inputs: 0, refused: 0 })
  const check = async (bytes: Buffer): Promise<void> => {
    count.inputs += 1
    try {
      await read(bytes)
    } catch (error) {
      if (!(error instanceof InvalidArgument || error instanceof Unsupported)) throw error
      expect(error.message).toContain(folder)
      count.refused += 1
    }
  }
  for (const bytes of seeds) {
    await read(bytes)
    const numRuns = Math.ceil(settings.numRuns / seeds.length)
    await fc.assert(
      fc.asyncProperty(damage(bytes.length), changes => check(damaged(bytes, changes))),
      { ...settings, numRuns },
    )
  }
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), bytes => check(Buffer.from(bytes))),
    settings,
  )
  // The damage is such that the readers see it.
  expect(count.refused).toBeGreaterThan(count.inputs / 4)
}

const placed = (name: string, bytes: Buffer) => join(write(folder, { [name]: bytes }), name)

it('pickles', async () => {
  const seeds = ['cifar-10-batches-py/test_batch', 'cifar-100-python/train', 'protocols/3', 'protocols/4'].map(of)
  await survives('pickle', seeds, bytes => readPickle(bytes, join(folder, 'some.pickle')))
})

it('pickles as a data set', async () => {
  const place = join(folder, 'cifar-100-python')
  const test = of('cifar-100-python/test')
  await survives('CIFAR-100, pickled', [test], bytes => data.open('cifar100', { dataPath: write(place, { train: bytes, test }) }))
})

it('binary files of CIFAR', async () => {
  const files = cifar10Files()
  write(folder, files)
  await survives('CIFAR-10, binary', [files['test_batch.bin']!.subarray(0, 3073)], async bytes => {
    const source = await data.open('cifar10', { dataPath: write(folder, { 'test_batch.bin': bytes }) })
    expect(source.test.labels.every(label => label >= 0 && label < 10)).toBe(true)
  })
})

/** The arrays of an uncompressed file, each compressed, so that damage comes from within. */
function compressed(file: Buffer): Buffer {
  const parts = [file.subarray(0, 128)]
  for (let at = 128; at + 8 <= file.length;) {
    const bytes = Math.min(8 + file.readUInt32LE(at + 4), file.length - at)
    const packed = deflateSync(file.subarray(at, at + bytes), { level: 1 })
    const tag = Buffer.alloc(8)
    tag.writeUInt32LE(15)
    tag.writeUInt32LE(packed.length, 4)
    parts.push(tag, packed)
    at += bytes
  }
  return Buffer.concat(parts)
}

it('MAT-files', async () => {
  const seeds = [of('train_32x32.mat'), of('extra_32x32.mat')]
  await survives('MAT', seeds, bytes => readMat(placed('some.mat', bytes), ['X', 'y']))
})

it('MAT-files with damage below their compression', async () => {
  await survives('MAT, below its compression', [of('extra_32x32.mat')], bytes =>
    readMat(placed('some.mat', compressed(bytes)), ['X', 'y']),
  )
})

it('IDX files', async () => {
  await survives('IDX', [idx([2, 3, 4], new Uint8Array(24))], bytes => readIdx(placed('some-idx3-ubyte', bytes), 3))
  await survives('IDX, gzipped', [idx([2, 3, 4], new Uint8Array(24))], bytes =>
    readIdx(placed('some-idx3-ubyte.gz', gzipSync(bytes)), 3),
  )
})

it('tar files', async () => {
  const samples = [3, 700].map((size, label) => ({ key: `0${label}`, bytes: new Uint8Array(size).fill(7), label }))
  const json = { name: `${'d'.repeat(60)}/9.json`, bytes: '{"label": 4}' }
  const plain = tarOf([...samplesOf(samples), { name: json.name.replace('json', 'png'), bytes: 'x' }, json])
  const long = execFileSync('tar', ['--format=pax', '-cf', '-', '-C', longNames(), '.'])
  await survives('tar', [plain, long], async bytes => {
    const file = placed('some.tar', bytes)
    for (const { offset, length } of await FileWindow.over(file, window => scanSamples(file, window)))
      expect(offset + length).toBeLessThanOrEqual(bytes.length)
  })
})

/** A folder with a sample whose names need a pax header. */
function longNames(): string {
  const place = join(folder, 'long', 'ä'.repeat(60), 'n'.repeat(90))
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, '1.jpg'), 'image')
  writeFileSync(join(place, '1.cls'), '1')
  return join(folder, 'long')
}

/** A shard with three images. */
function someShard(): Buffer {
  const images = Buffer.alloc(40, 'images')
  const checksums = Uint32Array.of(1, 2, 3)
  const table = encodeTable({
    offsets: Float64Array.of(64, 70, 90, 104),
    checksums,
    labels: Int32Array.of(0, 2, 1),
    names: ['a', 'b/c', 'ä'],
  })
  return Buffer.concat([encodeHeader(headerBytes + 40, table, { images: 3, first: 0, end: 4 }), images, table])
}

async function checkShard(bytes: Buffer): Promise<void> {
  const { table } = await readShard(placed('some.shard', bytes))
  for (const [i, offset] of table.offsets.entries()) {
    expect(offset).toBeGreaterThanOrEqual(i === 0 ? headerBytes : table.offsets[i - 1]!)
    expect(offset).toBeLessThanOrEqual(bytes.length)
  }
  expect(table.names).toHaveLength(table.labels.length)
}

it('shards', async () => {
  await survives('shards', [someShard()], checkShard)
})

it('shards whose checksums are made to fit', async () => {
  await survives('shards, below their checksums', [someShard()], bytes => {
    if (bytes.length >= headerBytes) {
      const tableAt = bytes.readUInt32LE(32)
      bytes.writeUInt32LE(bytes.length, 16)
      if (tableAt <= bytes.length) bytes.writeUInt32LE(checksumOf(bytes.subarray(tableAt)), 40)
      bytes.writeUInt32LE(0, 12)
      bytes.writeUInt32LE(checksumOf(bytes.subarray(0, headerBytes)), 12)
    }
    return checkShard(bytes)
  })
})

it('indexes of shards', async () => {
  const shards = [{ file: 'train-00000.shard', bytes: 300, images: 3, checksum: 17 }]
  await writeIndex(folder, { name: 'some', images: { format: 'keep' }, classNames: ['a', 'b'], train: { passedOver: 0, shards } })
  const seed = readFileSync(join(folder, 'shards.json'))
  await survives('shards.json', [seed], async bytes => {
    placed('shards.json', bytes)
    expect((await readIndex(folder)).train.shards.every(({ file }) => !file.includes('/'))).toBe(true)
  })
})
