/** The native image reader: same bytes for any number of threads, from any batch on, and what it does with files that are no good. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import crc32c from 'crc-32/crc32c.js'
import { PNG } from 'pngjs'
import { afterAll, describe, expect, it } from 'vitest'
import { InvalidArgument, Unsupported } from '../../src/runtime/errors.js'
import {
  ImageFiles,
  ImageReader,
  imageRing,
  noChanges,
  type ImageReaderOptions,
  type ImageView,
  type ReadBatch,
} from '../../src/runtime/image_reader.js'

const golden = join(import.meta.dirname, '..', 'golden', 'images')
const sources = ['rgb420.jpg', 'rgb444.jpg', 'rgb422_progressive.jpg', 'grey.jpg', 'cmyk.jpg', 'rgb.png', 'palette.png']
const folder = mkdtempSync(join(tmpdir(), 'eraserelu-images-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const view: ImageView = {
  height: 24,
  width: 32,
  random: true,
  minScale: 0.08,
  maxScale: 1,
  minRatio: 3 / 4,
  maxRatio: 4 / 3,
  flip: true,
  resize: 36,
}

const size = 23
const names = Array.from({ length: size }, (_, i) => `${i}-${sources[i % sources.length]!}`)
names.forEach((name, i) => copyFileSync(join(golden, sources[i % sources.length]!), join(folder, name)))
const labels = Int32Array.from({ length: size }, (_, i) => i % 5)
const good = new ImageFiles(folder, names, labels)
/** Not the identity. */
const order = Int32Array.from({ length: size }, (_, i) => (7 * i + 3) % size)

const defaults: ImageReaderOptions = {
  view,
  colour: { brightness: 0.4, contrast: 0.4, saturation: 0.4, lighting: 0.1 },
  erasing: { ...noChanges.erasing, probability: 0.5, noise: true },
  seed: 11,
  epoch: 2,
  order,
  batchSize: 4,
  firstBatch: 0,
  ahead: 2,
  threads: 2,
  maxCorrupt: 0,
}

interface Copied extends Pick<ReadBatch, 'count' | 'faults'> {
  images: Uint8Array
  labels: Int32Array
}

async function readAll(files: ImageFiles, changes: Partial<ImageReaderOptions> = {}, hold = 1): Promise<Copied[]> {
  const options = { ...defaults, ...changes }
  const batches = Math.ceil(options.order.length / options.batchSize)
  using reader = new ImageReader(files, options, imageRing(options.ahead + hold, options.batchSize, options.view))
  const read: Copied[] = []
  for (let batch = options.firstBatch; batch < batches; ++batch) {
    const got = await reader.next()
    read.push({ ...got, images: got.images.slice(), labels: got.labels.slice() })
  }
  return read
}

describe('a pass over image files', () => {
  it('gives every image its label, and fills the last batch up with nothing', async () => {
    const batches = await readAll(good)
    expect(batches.map(({ count }) => count)).toEqual([4, 4, 4, 4, 4, 3])
    const read = batches.flatMap(batch => [...batch.labels])
    expect(read).toEqual([...Array.from(order, index => labels[index]!), -1])
    const bytes = view.height * view.width * 3
    expect(batches[5]!.images.subarray(3 * bytes).every(value => value === 0)).toBe(true)
    expect(batches[5]!.images.subarray(2 * bytes, 3 * bytes).some(value => value !== 0)).toBe(true)
  })

  it('gives the same bytes with any number of threads, depth and ring', async () => {
    const expected = await readAll(good, { threads: 1, ahead: 1 })
    for (const [threads, ahead, hold] of [
      [2, 1, 1],
      [3, 4, 2],
      [8, 6, 1],
    ] as const)
      // prettier-ignore
      expect(await readAll(good, { threads, ahead }, hold)).toEqual(expected)
  })

  it('goes on in the middle of an epoch', async () => {
    expect(await readAll(good, { firstBatch: 3 })).toEqual((await readAll(good)).slice(3))
  })

  it('looks elsewhere in every epoch, with every seed, and at every copy of an image', async () => {
    const [first] = await readAll(good, { batchSize: size })
    expect((await readAll(good, { batchSize: size, epoch: 3 }))[0]!.images).not.toEqual(first!.images)
    expect((await readAll(good, { batchSize: size, seed: 12 }))[0]!.images).not.toEqual(first!.images)
    const twice = await readAll(good, { order: Int32Array.of(0, sources.length), batchSize: 1 })
    expect(twice[0]!.images).not.toEqual(twice[1]!.images)
  })

  it('changes colours and erases rectangles, each by itself and only where asked to', async () => {
    const read = async (changes: Partial<ImageReaderOptions>) => (await readAll(good, { batchSize: size, ...changes }))[0]!.images
    const plain = await read(noChanges)
    const bytes = view.height * view.width * 3
    const altered = (other: Uint8Array) =>
      Array.from(order, (_, n) => {
        const image = other.subarray(n * bytes, (n + 1) * bytes)
        return image.reduce((count, value, i) => count + (value === plain[n * bytes + i] ? 0 : 1), 0) / bytes
      })
    for (const name of ['brightness', 'contrast', 'saturation', 'lighting'] as const) {
      const coloured = altered(await read({ ...noChanges, colour: { ...noChanges.colour, [name]: 0.4 } }))
      expect(coloured.filter(share => share > 0.2).length).toBeGreaterThan(size / 2)
    }
    const erased = altered(await read({ ...noChanges, erasing: { ...defaults.erasing, probability: 0.5 } }))
    const touched = erased.filter(share => share > 0)
    expect(touched.length).toBeGreaterThan(size / 5)
    expect(touched.length).toBeLessThan((4 * size) / 5)
    expect(Math.max(...erased)).toBeLessThan(0.45)
  })

  it('leaves delivered batches alone while it reads ahead, for as many as the ring has places beyond', async () => {
    const expected = await readAll(good)
    using reader = new ImageReader(good, { ...defaults, threads: 4 }, imageRing(4, 4, view))
    const held: ReadBatch[] = []
    for (let batch = 0; batch < 6; ++batch) {
      held.push(await reader.next())
      await new Promise(resolve => setTimeout(resolve, 20))
      for (const back of [0, 1]) if (batch >= back) expect(held[batch - back]!.images).toEqual(expected[batch - back]!.images)
    }
  })

  it('can be stopped at any time', async () => {
    for (const taken of [0, 1]) {
      const reader = new ImageReader(good, defaults, imageRing(3, 4, view))
      for (let i = 0; i < taken; ++i) await reader.next()
      const open = reader.next()
      reader.dispose()
      await open.catch((error: unknown) => expect(String(error)).toContain('stopped'))
      reader.dispose()
      await expect(reader.next()).rejects.toThrow('could not give one')
    }
  })
})

/** A black grey JPEG of any size, in few bytes: every block is two bits. */
function largeJpeg(height: number, width: number): Buffer {
  const segment = (marker: number, ...bytes: number[]) => [0xff, marker, 0, bytes.length + 2, ...bytes]
  const size = [height >> 8, height & 255, width >> 8, width & 255]
  const oneCode = (table: number) => segment(0xc4, table, 1, ...Array<number>(15).fill(0), 0)
  const header = [
    [0xff, 0xd8],
    segment(0xdb, 0, ...Array<number>(64).fill(1)),
    segment(0xc0, 8, ...size, 1, 1, 0x11, 0),
    [...oneCode(0x00), ...oneCode(0x10)],
    segment(0xda, 1, 1, 0, 0, 63, 0),
  ]
  return Buffer.concat([Buffer.from(header.flat()), Buffer.alloc((height * width) / 256), Buffer.from([0xff, 0xd9])])
}

it('stops within an image', async () => {
  writeFileSync(join(folder, 'large.jpg'), largeJpeg(12_000, 14_000))
  const large = new ImageFiles(folder, ['large.jpg'], Int32Array.of(0))
  const centre = { ...view, random: false, flip: false }
  const options = { ...defaults, view: centre, order: Int32Array.of(0), batchSize: 1 }
  const since = (start: number) => performance.now() - start
  const whole = performance.now()
  expect(await readAll(large, { order: options.order, view: centre, batchSize: 1 })).toMatchObject([{ count: 1, faults: [] }])
  const full = since(whole)
  const reader = new ImageReader(large, options, imageRing(3, 1, centre))
  const open = reader.next()
  await new Promise(resolve => setTimeout(resolve, full / 10))
  const start = performance.now()
  reader.dispose()
  expect(since(start)).toBeLessThan(full / 3)
  await expect(open).rejects.toThrow('stopped')
}, 60_000)

describe('images in pieces of files', () => {
  /** All images in two files, with something before, between and after them. */
  const contents = names.map(name => readFileSync(join(folder, name)))
  const gap = Buffer.from('between')
  const files = Int32Array.from({ length: size }, (_, i) => (i < 9 ? 0 : 1))
  const lengths = Float64Array.from(contents, ({ length }) => length)
  const offsets = new Float64Array(size)
  const packed = ['first.bin', 'second.bin'].map((_, file) => {
    let bytes = Buffer.from('before')
    contents.forEach((content, i) => {
      if (files[i] !== file) return
      offsets[i] = bytes.length
      bytes = Buffer.concat([bytes, content, gap])
    })
    return bytes
  })
  const paths = ['first.bin', 'second.bin']
  paths.forEach((path, file) => writeFileSync(join(folder, path), packed[file]!))
  const checksums = Uint32Array.from(contents, content => crc32c.buf(content) >>> 0)
  const pieces = { paths, files, offsets, lengths }

  it('are the same as in files of their own, with checksums and without', async () => {
    const expected = await readAll(good)
    expect(await readAll(new ImageFiles(folder, names, labels, pieces))).toEqual(expected)
    expect(await readAll(new ImageFiles(folder, names, labels, { ...pieces, checksums }))).toEqual(expected)
  })

  const one = (changes: object) => {
    const only = (array: Float64Array) => array.slice(12, 13)
    const piece = { paths, files: files.slice(12, 13), offsets: only(offsets), lengths: only(lengths) }
    const files1 = new ImageFiles(folder, [names[12]!], Int32Array.of(0), { ...piece, ...changes })
    return readAll(files1, { order: Int32Array.of(0) })
  }
  const place = `${join(folder, 'second.bin')}, byte ${offsets[12]!} (${names[12]!}): `

  it('are named with file, offset and name where their bytes have another checksum', async () => {
    await expect(one({ checksums: checksums.slice(12, 13) })).resolves.toHaveLength(1)
    await expect(one({ checksums: checksums.slice(13, 14) })).rejects.toThrow(
      `${place}damaged: the bytes do not have the checksum`,
    )
  })

  it.each([1, 2 ** 40])('are named where the file ends before them (by %d bytes)', async more => {
    const lengths = Float64Array.of(packed[1]!.length - offsets[12]! + more)
    await expect(one({ lengths })).rejects.toThrow(`${place}the file became shorter`)
    await expect(one({ offsets: Float64Array.of(packed[1]!.length + more) })).rejects.toThrow('the file became shorter')
  })
})

const jpeg = readFileSync(join(golden, 'rgb420.jpg'))
/** With a thumbnail in its header that has an end of its own, and cut off soon after. */
const thumbnail = Buffer.concat([
  jpeg.subarray(0, 2),
  Buffer.from([0xff, 0xe1, 0, 8, 0x45, 0x78, 0x69, 0x66, 0xff, 0xd9]),
  jpeg.subarray(2),
])
const progressive = readFileSync(join(golden, 'rgb422_progressive.jpg'))
const png = readFileSync(join(golden, 'rgb.png'))
const line = PNG.sync.write(new PNG({ width: 1, height: 100_000 }))
const webp = Buffer.from('RIFF\0\0\0\0WEBPVP8 ')
const bad: Record<string, { bytes: Buffer | undefined; says: RegExp; unsupported?: true }> = {
  'empty.jpg': { bytes: Buffer.alloc(0), says: /empty/ },
  'missing.jpg': { bytes: undefined, says: /No such file/ },
  'short.jpg': { bytes: jpeg.subarray(0, 4000), says: /truncated/ },
  'last_bytes.jpg': { bytes: jpeg.subarray(0, jpeg.length - 40), says: /truncated/ },
  'thumbnail.jpg': { bytes: thumbnail.subarray(0, 3000), says: /truncated/ },
  'short_progressive.jpg': { bytes: progressive.subarray(0, 3000), says: /truncated/ },
  'header.jpg': { bytes: jpeg.subarray(0, 100), says: /JPEG/ },
  'marker.jpg': { bytes: Buffer.from([0xff, 0xd8]), says: /JPEG/ },
  'short.png': { bytes: png.subarray(0, 9000), says: /PNG/ },
  'changed.png': { bytes: Buffer.concat([png.subarray(0, 5000), Buffer.from([1, 2, 3]), png.subarray(5003)]), says: /PNG/ },
  'text.jpg': {
    bytes: Buffer.from('no image'),
    says: /neither JPEG, PNG nor PPM \(it begins with the bytes 6e 6f 20 69\)/,
    unsupported: true,
  },
  'webp.jpg': { bytes: webp, says: /neither JPEG, PNG nor PPM/, unsupported: true },
  'line.png': { bytes: line, says: /1x100000 pixels would be 3600000 pixels long/, unsupported: true },
  'pipe.jpg': { bytes: undefined, says: /not a file/ },
}
for (const [name, { bytes }] of Object.entries(bad)) if (bytes) writeFileSync(join(folder, name), bytes)
execFileSync('mkfifo', [join(folder, 'pipe.jpg')])

describe('a file that is no good', () => {
  const centre = { ...view, random: false, flip: false }

  it.each(Object.entries(bad))('%s is named with its path and what is wrong with it', async (name, { says, unsupported }) => {
    const files = new ImageFiles(folder, [name], Int32Array.of(0))
    const reading = readAll(files, { order: Int32Array.of(0), view: centre })
    await expect(reading).rejects.toThrow(says)
    await expect(reading).rejects.toThrow(join(folder, name))
    await expect(reading).rejects.toBeInstanceOf(unsupported ? Unsupported : InvalidArgument)
  })

  it('is passed over, as many as allowed, and has no label', async () => {
    const few = [names[0]!, 'short.jpg', names[1]!, 'text.jpg']
    const files = new ImageFiles(folder, few, Int32Array.of(0, 1, 2, 3))
    const changes = { order: Int32Array.of(0, 1, 2, 3), view: centre }
    const [batch] = await readAll(files, { ...changes, maxCorrupt: 2 })
    expect(batch!.count).toBe(2)
    expect([...batch!.labels]).toEqual([0, -1, 2, -1])
    expect(batch!.faults.map(fault => fault.replace(`${folder}/`, '').split(':')[0])).toEqual(['short.jpg', 'text.jpg'])
    const bytes = view.height * view.width * 3
    expect(batch!.images.subarray(bytes, 2 * bytes).every(value => value === 0)).toBe(true)
    await expect(readAll(files, { ...changes, maxCorrupt: 1 })).rejects.toThrow('text.jpg')
    await expect(readAll(files, changes)).rejects.toThrow(/short.jpg.*--max-corrupt/)
  })

  it('is noticed where the crop ends above the damage, too', async () => {
    for (const name of ['last_bytes.jpg', 'thumbnail.jpg']) {
      const files = new ImageFiles(folder, [name], Int32Array.of(0))
      for (let epoch = 0; epoch < 12; ++epoch)
        await expect(readAll(files, { order: Int32Array.of(0), epoch })).rejects.toThrow('truncated')
    }
  })
})

describe('changed bytes', () => {
  it('never do more than make an error', async () => {
    let state = 1
    const random = (n: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n
    const changed = [jpeg, progressive, png].flatMap(original =>
      Array.from({ length: 40 }, () => {
        const copy = Buffer.from(original)
        for (let i = 0; i < 1 + random(8); ++i) copy[random(copy.length)] = random(256)
        return copy.subarray(0, random(4) === 0 ? random(copy.length) : copy.length)
      }),
    )
    const mutants = changed.map((_, i) => `mutant-${i}`)
    mutants.forEach((name, i) => writeFileSync(join(folder, name), changed[i]!))
    const files = new ImageFiles(folder, mutants, new Int32Array(mutants.length))
    const batches = await readAll(files, { order: Int32Array.from(mutants.keys()), batchSize: 16, maxCorrupt: mutants.length })
    const faults = batches.flatMap(batch => batch.faults)
    expect(faults.length).toBeGreaterThan(20)
    expect(faults.length + batches.reduce((sum, batch) => sum + batch.count, 0)).toBe(mutants.length)
  })
})
