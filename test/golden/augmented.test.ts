/** Colour jitter, lighting and random erasing against torch's and torchvision's answers (make_augmented.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ImageFiles, ImageReader, imageRing, noChanges, type ImageChanges, type ImageView } from '../../src/runtime/image_reader.js'

const folder = join(import.meta.dirname, 'augmented')
const side = 32
const size = side * side * 3
const files = new ImageFiles(folder, ['strong.png', 'soft.png'], Int32Array.of(0, 1))
/** The whole image. */
const view: ImageView = {
  height: side,
  width: side,
  random: false,
  minScale: 1,
  maxScale: 1,
  minRatio: 1,
  maxRatio: 1,
  flip: false,
  resize: side,
}

async function changed(index: number, epoch: number, changes: Partial<ImageChanges>): Promise<Uint8Array> {
  const plain = { order: Int32Array.of(index), batchSize: 1, firstBatch: 0, ahead: 1, threads: 1, maxCorrupt: 0 }
  using reader = new ImageReader(files, { view, ...noChanges, ...changes, seed: 7, epoch, ...plain }, imageRing(2, 1, view))
  return (await reader.next()).images
}

const jitter = { brightness: 0.4, contrast: 0.4, saturation: 0.4 }
const always = { ...noChanges.erasing, probability: 1 }
const cases: readonly [string, number, Partial<ImageChanges>, number][] = [
  ['colour jitter in any order, then lighting, as in fb.resnet.torch', 0, { colour: { ...jitter, lighting: 0.1 } }, 1],
  // Its luminance has 0.2989 red, and it bounds values at each step, which does nothing to this image.
  ["torchvision's adjust_brightness, adjust_contrast and adjust_saturation", 1, { colour: { ...jitter, lighting: 0 } }, 1],
  ["a rectangle of the mean colour by torchvision's rule", 0, { erasing: { ...always, colour: [124, 116, 104] } }, 0],
  ["a rectangle of noise by torchvision's rule", 1, { erasing: { ...always, noise: true } }, 0],
]

it.each(cases.map((test, number) => [...test, number] as const))('%s', async (_, index, changes, levels, number) => {
  const answers = readFileSync(join(folder, 'torchvision.bin'))
  const original = await changed(index, 0, {})
  const epochs = answers.length / cases.length / size
  expect(epochs).toBe(8)
  for (let epoch = 0; epoch < epochs; ++epoch) {
    const answer = answers.subarray((epoch * cases.length + number) * size).subarray(0, size)
    const got = await changed(index, epoch, changes)
    const most = answer.reduce((far, value, i) => Math.max(far, Math.abs(value - got[i]!)), 0)
    expect(most).toBeLessThanOrEqual(levels)
    expect(got).not.toEqual(original)
  }
})
