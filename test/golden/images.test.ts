/** Decoding, random-resized crop, mirror, resize and centre crop against Pillow's answers (make_images.py), on every kind of file. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ImageFiles, ImageReader, imageRing, noChanges, type ImageView } from '../../src/runtime/image_reader.js'

const folder = join(import.meta.dirname, 'images')
const names = readdirSync(folder)
  .filter(name => /\.(jpg|png)$/.test(name))
  .sort()
const answers = readFileSync(join(folder, 'pillow.bin'))
const files = new ImageFiles(folder, names, Int32Array.from(names.keys()))

const crop = { minScale: 0.08, maxScale: 1, minRatio: 3 / 4, maxRatio: 4 / 3 }
const trainView = (size: number): ImageView => ({ height: size, width: size, random: true, ...crop, flip: true, resize: size })
const testView = (size: number, resize: number): ImageView => ({ ...trainView(size), random: false, flip: false, resize })

async function pixels(view: ImageView, epoch: number, index: number): Promise<Uint8Array> {
  const options = { view, ...noChanges, seed: 7, epoch, order: Int32Array.of(index), batchSize: 1, firstBatch: 0, ahead: 1, threads: 1, maxCorrupt: 0 }
  using reader = new ImageReader(files, options, imageRing(2, 1, view))
  const { images, labels, count } = await reader.next()
  expect([count, labels[0]]).toEqual([1, index])
  return images
}

let at = 0
const answer = (size: number) => answers.subarray(at, (at += size))

/** Within a grey level on 99 % of the values: libraries of other versions may decode a little differently. */
function expectLikePillow(got: Uint8Array, expected: Uint8Array): void {
  const far = expected.reduce((sum, value, i) => sum + (Math.abs(value - got[i]!) > 1 ? 1 : 0), 0)
  expect(far / expected.length).toBeLessThanOrEqual(0.01)
  // Far off nowhere: a wrong crop or mirror shows.
  expect(expected.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0)).toBeLessThanOrEqual(4)
}

describe.each(names.map((name, index) => ({ name, index })))('$name', ({ index }) => {
  it('is cropped, resized and mirrored as with Pillow', async () => {
    for (let epoch = 0; epoch < 4; ++epoch) expectLikePillow(await pixels(trainView(48), epoch, index), answer(48 * 48 * 3))
    expectLikePillow(await pixels(testView(56, 64), 0, index), answer(56 * 56 * 3))
    const larger = await pixels(testView(184, 200), 0, index)
    expectLikePillow(larger.subarray(0, 184 * 16 * 3), answer(184 * 16 * 3))
  })
})

it('has been compared with every answer', () => expect(at).toBe(answers.length))
