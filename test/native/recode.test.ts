/** Images as they are packed: kept, encoded again, or as pixels; and what is said of those that are no good. */
import crc32c from 'crc-32/crc32c.js'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { afterAll, describe, expect, it } from 'vitest'
import {
  ImageFiles,
  ImageReader,
  imageRing,
  noChanges,
  type RecodedImages,
  type RecodeRule,
} from '../../src/runtime/image_reader.js'

const golden = join(import.meta.dirname, '..', 'golden', 'images')
const names = ['rgb420.jpg', 'rgb444.jpg', 'rgb422_progressive.jpg', 'grey.jpg', 'cmyk.jpg', 'rgb.png', 'palette.png']
const sources = names.map(name => readFileSync(join(golden, name)))
const files = new ImageFiles(golden, names, new Int32Array(names.length))
const all = Int32Array.from(names.keys())
const recode = (rule: Partial<RecodeRule>, of = files, indices = all) =>
  of.recode(indices, { format: 'keep', threads: 2, ...rule })

function split({ bytes, lengths }: RecodedImages): Buffer[] {
  let end = 0
  return Array.from(lengths, length => Buffer.from(bytes.subarray(end, (end += length))))
}

/** An image of a folder by its own, resized to `size` on the shorter side and not cropped, as a reader gives it. */
async function read(root: string, name: string, [height, width]: readonly [number, number], resize: number): Promise<Uint8Array> {
  const view = { height, width, random: false, minScale: 1, maxScale: 1, minRatio: 1, maxRatio: 1, flip: false, resize }
  const options = { view, seed: 0, epoch: 0, order: Int32Array.of(0), batchSize: 1, firstBatch: 0, ahead: 1, threads: 1 }
  const image = new ImageFiles(root, [name], Int32Array.of(0))
  using reader = new ImageReader(image, { ...options, ...noChanges, maxCorrupt: 0 }, imageRing(2, 1, view))
  return (await reader.next()).images.slice()
}

/** [height, width] and pixels of a PPM. */
function pixelsOf(ppm: Buffer): { size: [number, number]; pixels: Buffer } {
  const [header, width, height] = /^P6\n(\d+) (\d+)\n255\n/.exec(ppm.subarray(0, 30).toString('latin1'))!
  return { size: [Number(height), Number(width)], pixels: ppm.subarray(header.length) }
}

const folder = mkdtempSync(join(tmpdir(), 'eraserelu-recode-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const place = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes)

describe('recode', () => {
  it('keeps bytes, with checksums and sizes, in any order and with any number of threads', async () => {
    const order = Int32Array.of(3, 0, 6, 0, 5)
    for (const threads of [1, 2, 9]) {
      const kept = await recode({ threads }, files, order)
      expect(split(kept)).toEqual(Array.from(order, i => sources[i]))
      expect([...kept.checksums]).toEqual(Array.from(order, i => crc32c.buf(sources[i]!) >>> 0))
      const { height, width } = PNG.sync.read(sources[5]!)
      expect([kept.heights[4], kept.widths[4], Object.keys(kept.faults)]).toEqual([height, width, []])
    }
  })

  it('gives the pixels of a PNG as a PPM, which is read back as the same', async () => {
    const [ppm] = split(await recode({ format: 'raw' }, files, Int32Array.of(5)))
    const { size, pixels } = pixelsOf(ppm!)
    const { data } = PNG.sync.read(sources[5]!)
    expect([...pixels]).toEqual([...data].filter((_, i) => i % 4 < 3))
    place('again.ppm', ppm!)
    const again = new ImageFiles(folder, ['again.ppm'], Int32Array.of(0))
    expect(split(await recode({ format: 'raw' }, again, Int32Array.of(0)))).toEqual([ppm])
    expect(await read(folder, 'again.ppm', size, Math.min(...size))).toEqual(new Uint8Array(pixels))
  })

  it('resizes the shorter side as a reader does, but never makes it longer', async () => {
    const ppms = split(await recode({ format: 'raw', size: 30 }))
    for (const [i, name] of names.entries()) {
      const { size, pixels } = pixelsOf(ppms[i]!)
      expect(Math.min(...size)).toBe(30)
      expect(new Uint8Array(pixels)).toEqual(await read(golden, name, size, 30))
    }
    expect(split(await recode({ format: 'raw', size: 5000 }))).toEqual(split(await recode({ format: 'raw' })))
  })

  it('encodes JPEGs of that size, closer to the pixels with a higher quality', async () => {
    const [ppm] = split(await recode({ format: 'raw', size: 40 }, files, Int32Array.of(1)))
    const { size, pixels } = pixelsOf(ppm!)
    const difference = async (quality: number) => {
      const [jpeg] = split(await recode({ format: 'jpeg', size: 40, quality }, files, Int32Array.of(1)))
      place('small.jpg', jpeg!)
      const decoded = await read(folder, 'small.jpg', size, 40)
      return {
        bytes: jpeg!.length,
        error: decoded.reduce((sum, value, i) => sum + Math.abs(value - pixels[i]!), 0) / decoded.length,
      }
    }
    const [low, high] = [await difference(30), await difference(95)]
    expect(high.error).toBeLessThan(low.error)
    expect(high.error).toBeLessThan(6)
    expect(high.bytes).toBeGreaterThan(low.bytes)
  })

  it('says which images are no good, and goes on', async () => {
    place('good.jpg', sources[0]!)
    place('short.jpg', sources[0]!.subarray(0, sources[0]!.length - 40))
    place('text.jpg', Buffer.from('no image'))
    place('wide.ppm', Buffer.concat([Buffer.from('P6\n70000 1\n255\n'), Buffer.alloc(210_000)]))
    const few = new ImageFiles(folder, ['short.jpg', 'good.jpg', 'text.jpg', 'wide.ppm'], new Int32Array(4))
    for (const format of ['keep', 'raw', 'jpeg'] as const) {
      const { faults, lengths } = await recode({ format }, few, Int32Array.of(0, 1, 2, 3))
      expect(faults[0]).toBe(`${join(folder, 'short.jpg')}: truncated: the file ends before the image does`)
      expect(faults[2]).toMatch(/text\.jpg: neither JPEG, PNG nor PPM/)
      expect([lengths[0], lengths[2], lengths[1]! > 0]).toEqual([0, 0, true])
      if (format === 'jpeg') expect(faults[3]).toMatch(/wide\.ppm: it cannot be written as a JPEG: .*65500/)
      else expect(faults[3]).toBeUndefined()
    }
  })
})

describe('a PPM file', () => {
  const image = (text: string) => {
    place('some.ppm', Buffer.from(text, 'latin1'))
    return recode({ format: 'raw' }, new ImageFiles(folder, ['some.ppm'], Int32Array.of(0)), Int32Array.of(0))
  }

  it('may have comments and any white space in its header', async () => {
    const [ppm] = split(await image('P6 # made by hand\n#\n 2\t1\r\n255\nabcdef and more'))
    expect(ppm!.toString('latin1')).toBe('P6\n2 1\n255\nabcdef')
  })

  it.each([
    ['P6', /a number is missing/],
    ['P6 2 1 25', /a number is missing/],
    ['P6 2 x 255\nabcdef', /a number is missing/],
    ['P6 2 1 255abcdef', /no white space before the pixels/],
    ['P6 2 1 255\nabcde', /truncated/],
    ['P6 0 1 255\nabcde', /no pixels/],
    ['P6 2 1 65535\nabcdefabcdef', /largest value is 65535; 255 is read/],
    ['P6 999999999 999999999 255\n', /at most/],
    ['P6 12345678901 1 255\n', /at most/],
  ])('%j is refused', async (text, says) => {
    expect((await image(text)).faults[0]).toMatch(says)
  })
})
