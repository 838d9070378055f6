/** Mixup, cutmix and random erasing in training: what the network sees, what it is told, and that a resumed run sees the same. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fromBatches, imageFolder, noAugment, type DataSource } from '../../src/data/index.js'
import { mixBatch } from '../../src/data/mix.js'
import { eraseRectangle } from '../../src/data/random_erasing.js'
import { compile } from '../../src/graph/session.js'
import { sgd } from '../../src/optim/index.js'
import { ImageFiles, ImageReader, imageRing, noChanges } from '../../src/runtime/image_reader.js'
import { seenImages } from '../../src/train/seen_images.js'
import { Trainer } from '../../src/train/trainer.js'
import { writeShapes } from '../data/shapes.js'
import { bytesOf, fitInto, newFolder, trainerOptions } from './run_folder.js'
import { Plain, source, train } from './training.js'

const shape = [16, 12, 3] as const
const [height, width] = shape
const size = height * width * 3
const plain = { batchSize: 6, seed: 4, accumulate: 1, mixup: 0, cutmix: 0 }

it.each([
  { mixup: 1, cutmix: 0 },
  { mixup: 0, cutmix: 1 },
  { mixup: 0.2, cutmix: 1 },
])('%o: each image is mixed with the one before, in the shares of its labels', async mix => {
  const data = source(20, shape)
  const alone = await seenImages(data, 1, plain)
  const seen = await seenImages(data, 1, { ...plain, ...mix })
  const { rows, columns, labels, labels2, lambda } = mixBatch(mix, alone.labels, [height, width], { seed: 4, epoch: 1, first: 0 })
  expect([seen.labels, seen.labels2, seen.lambda]).toEqual([labels, labels2, lambda])
  let mixed = 0
  for (let i = 0; i < seen.images.length; ++i) {
    const [n, row, column] = [Math.floor(i / size), Math.floor((i % size) / (width * 3)), Math.floor((i % (width * 3)) / 3)]
    const other = rows[n * height + row]! * columns[n * width + column]!
    const before = alone.images[(i - size + alone.images.length) % alone.images.length]!
    const expected = (1 - other) * alone.images[i]! + other * before
    if (other === 0 || other === 1) expect(seen.images[i]).toBe(other === 0 ? alone.images[i] : before)
    else expect(Math.abs(seen.images[i]! - expected)).toBeLessThan(1e-5)
    if (other > 0) ++mixed
  }
  expect(mixed).toBeGreaterThan(0)
})

it('an erased rectangle of an image in memory is the mean, and lies where that of a file would', async () => {
  const data = source(20, shape)
  const alone = await seenImages(data, 0, { ...plain, batchSize: 20 })
  const erased = await seenImages({ ...data, augment: { ...data.augment, randomErasing: 0.5 } }, 0, { ...plain, batchSize: 20 })
  const zeros = (n: number) => erased.images.subarray(n * size, (n + 1) * size).reduce((count, x) => count + (x === 0 ? 1 : 0), 0)
  const touched = Array.from({ length: 20 }, (_, n) => n).filter(n => zeros(n) > 0)
  expect(touched.length).toBeGreaterThan(3)
  expect(touched.length).toBeLessThan(17)
  erased.images.forEach((x, i) => (x === 0 ? 0 : expect(x).toBe(alone.images[i])))

  const side = 32
  const folder = join(import.meta.dirname, '..', 'golden', 'augmented')
  const view = {
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
  const read = async (index: number, epoch: number, probability: number) => {
    const erasing = { ...noChanges.erasing, probability, colour: [1, 2, 3] }
    const options = { view, ...noChanges, erasing, seed: 9, epoch, order: Int32Array.of(index), batchSize: 1 }
    const files = new ImageFiles(folder, ['strong.png', 'soft.png'], Int32Array.of(0, 1))
    const reader = new ImageReader(
      files,
      { ...options, firstBatch: 0, ahead: 1, threads: 1, maxCorrupt: 0 },
      imageRing(2, 1, view),
    )
    try {
      return (await reader.next()).images.slice()
    } finally {
      reader.dispose()
    }
  }
  for (let epoch = 0; epoch < 12; ++epoch) {
    const [rows, columns] = [new Float32Array(side), new Float32Array(side)]
    eraseRectangle(0.7, 9, epoch, 1, rows, columns)
    const expected = await read(1, epoch, 0)
    for (let i = 0; i < expected.length; ++i)
      if (rows[Math.floor(i / (3 * side))]! * columns[Math.floor(i / 3) % side]! > 0) expected[i] = 1 + (i % 3)
    expect(await read(1, epoch, 0.7)).toEqual(expected)
  }
})

it('the loss is that of both labels by their shares, and the accuracy that of the larger share', async () => {
  const mix = { mixup: 1, cutmix: 1 }
  const data = source(24, [16, 16, 3])
  using session = await compile(new Plain(), { inputs: { x: { shape: [6, 16, 16, 3] } } })
  const { steps } = await train(new Plain(), { data, ...plain, ...mix, epochs: 1 }, 1)
  const { images, labels, labels2, lambda } = await seenImages(data, 0, { ...plain, ...mix })
  const { data: logits } = (await session.run({ x: images })).output!
  let [loss, correct] = [0, 0]
  labels.forEach((label, n) => {
    const scores = Array.from(logits.subarray(4 * n, 4 * n + 4))
    const logSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0))
    const entropy = (of: number) => logSum - scores[of]!
    loss += (lambda![n]! * entropy(label) + (1 - lambda![n]!) * entropy(labels2![n]!)) / 6
    correct += scores.indexOf(Math.max(...scores)) === label ? 1 : 0
  })
  expect(steps[0]!.loss).toBeCloseTo(loss, 4)
  expect(steps[0]!.accuracy).toBeCloseTo(correct / 6, 6)
})

it('a training that was stopped inside an epoch goes on to the same bytes', async () => {
  const { data } = trainerOptions()
  const options = { mixup: 0.2, cutmix: 1, data: { ...(data as DataSource), augment: { ...noAugment, randomErasing: 0.5 } } }
  const [whole, resumed, other] = [await newFolder(), await newFolder(), await newFolder()]
  await fitInto(whole, {}, options)
  await fitInto(resumed, {}, { ...options, until: event => event.type === 'step' && event.step === 8 })
  await fitInto(resumed, { resume: true }, options)
  expect(await bytesOf(resumed)).toEqual(await bytesOf(whole))
  await fitInto(other, {}, { ...options, mixup: 0 })
  expect(await bytesOf(other)).not.toEqual(await bytesOf(whole))
})

it('batches that are mixed already are not mixed again', () => {
  const stream = fromBatches({ train: async function* () {}, shape: [16, 16, 3], numClasses: 4, batchesPerEpoch: 2, mixed: true })
  const options = { data: stream, batchSize: 6, epochs: 1, optimizer: sgd({ lr: 0.1 }), cutmix: 1 }
  expect(() => new Trainer(new Plain(), options)).toThrow(/batches of 'batches' are mixed already: leave out mixup and cutmix/)
})

it('images of files are mixed too', async () => {
  const folder = await newFolder()
  writeShapes(folder)
  const data = await imageFolder(folder, { trainCropSize: 16, valCropSize: 16, valResizeSize: 18 })
  const alone = await seenImages(data, 0, { ...plain, batchSize: 8 })
  const seen = await seenImages(data, 0, { ...plain, batchSize: 8, mixup: 1 })
  const same = seen.images.filter((x, i) => x === alone.images[i]).length / seen.images.length
  expect(same).toBeLessThan(0.5)
  expect(seen.labels2).toBeDefined()
})
