import { describe, expect, it } from 'vitest'
import { checkBatch, fromArrays, noAugment, type Batch, type BatchSpec, type FromArraysOptions } from '../../src/data/index.js'
import { InvalidArgument } from '../../src/runtime/errors.js'

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (37 * i) % 256)
const good: FromArraysOptions = { images: bytes(24), labels: [0, 2], shape: [2, 3, 2] }

describe('fromArrays', () => {
  it('fills in what is not given', () => {
    const source = fromArrays(good)
    expect(source.train).toEqual({
      name: 'arrays',
      images: bytes(24),
      labels: Int32Array.of(0, 2),
      shape: [2, 3, 2],
      numClasses: 3,
      size: 2,
    })
    expect(source.test.size).toBe(0)
    expect(source.augment).toEqual(noAugment)
  })

  it('computes mean and standard deviation of every channel', () => {
    const { mean, std } = fromArrays(good)
    for (const channel of [0, 1]) {
      const values = [...bytes(24)].filter((_, i) => i % 2 === channel).map(value => value / 255)
      const expected = values.reduce((sum, value) => sum + value, 0) / values.length
      expect(mean[channel]).toBeCloseTo(expected, 12)
      expect(std[channel]).toBeCloseTo(
        Math.sqrt(values.reduce((sum, value) => sum + (value - expected) ** 2, 0) / values.length),
        12,
      )
    }
  })

  it('takes what is given', () => {
    const test = { images: bytes(12), labels: Uint8Array.of(4) }
    const given = { ...good, name: 'mine', numClasses: 5, test, mean: [0.5, 0.4], std: [1, 2], augment: { pad: 1, flip: true } }
    const source = fromArrays(given)
    expect(source).toMatchObject({ name: 'mine', mean: [0.5, 0.4], std: [1, 2], augment: { ...noAugment, pad: 1, flip: true } })
    expect(source.test).toMatchObject({ size: 1, numClasses: 5, labels: Int32Array.of(4) })
  })

  it('takes test images of another size', () => {
    const test = { images: bytes(3 * 4 * 2), labels: [1], shape: [3, 4, 2] } as const
    expect(fromArrays({ ...good, test }).test).toMatchObject({ shape: [3, 4, 2], size: 1 })
    expect(fromArrays({ ...good, test: { images: bytes(12), labels: [1] } }).test.shape).toEqual([2, 3, 2])
    const nested = [[[[1, 2]], [[3, 4]]]]
    expect(fromArrays({ ...good, test: { images: nested, labels: [1], shape: [2, 1, 2] } }).test.images).toEqual(
      Uint8Array.of(1, 2, 3, 4),
    )
  })

  it('takes nested arrays, with channels and without', () => {
    const grey = fromArrays({ images: [[[1, 2], [3, 4], [5, 6]]], labels: [0] }) // prettier-ignore
    expect(grey.train.shape).toEqual([3, 2, 1])
    expect([...grey.train.images]).toEqual([1, 2, 3, 4, 5, 6])
    const colour = fromArrays({ images: [[[[1, 2, 3], [4, 5, 6]]]], labels: [0] }) // prettier-ignore
    expect(colour.train.shape).toEqual([1, 2, 3])
    expect([...colour.train.images]).toEqual([1, 2, 3, 4, 5, 6])
  })

  it.each<[string, Partial<Record<keyof FromArraysOptions | 'shpae', unknown>>, RegExp]>([
    ['an unknown option', { shpae: 1 }, /unknown option 'shpae'\. Did you mean 'shape'/],
    ['flat images without shape', { shape: undefined }, /need `shape: \[height, width, channels\]`/],
    ['a bad shape', { shape: [2, 3] }, /three positive integers, got \[2, 3\]/],
    ['too few bytes', { images: bytes(23) }, /images has 23 bytes, but 2 labels with shape \[2, 3, 2\] need 24/],
    ['images of another kind', { images: new Float32Array(24) }, /must be a Uint8Array or nested arrays/],
    ['no images', { images: [], labels: [] }, /empty/],
    [
      'a ragged image',
      { images: [[[1, 2], [3]]], labels: [0], shape: undefined },
      /images\[0\]\[1\] must have length 2 .* got 1/,
    ],
    [
      'a pixel out of range',
      { images: [[[1, 256]]], labels: [0], shape: undefined },
      /images\[0\]\[0\]\[1\] must be an integer 0 … 255, got 256/,
    ],
    ['images too deep', { images: [[[[[1]]]]], labels: [0], shape: undefined }, /nested 5 deep/],
    ['nested images for other labels', { images: [[[1]]], labels: [0, 1], shape: undefined }, /1 images for 2 labels/],
    ['a negative label', { labels: [0, -1] }, /labels\[1\] is -1/],
    ['a fractional label', { labels: [0.5, 1] }, /labels\[0\] is 0\.5/],
    ['a label that is no class', { numClasses: 2 }, /labels\[1\] is 2; labels are integers from 0 to 1/],
    ['a bad number of classes', { numClasses: 0 }, /numClasses must be a positive integer/],
    ['class names of another count', { numClasses: 3, classNames: ['a'] }, /1 names for 3 classes/],
    ['a label that has no name', { classNames: ['a'] }, /labels\[1\] is 2; labels are integers from 0 to 0/],
    ['a mean of another length', { mean: [0.5] }, /mean must be one finite number a channel \(2\)/],
    ['a standard deviation of 0', { std: [1, 0] }, /std of channel 1 is 0/],
    ['images of one colour', { images: new Uint8Array(24) }, /std of channel 0 is 0/],
    ['a test label that is no class', { test: { images: bytes(12), labels: [3] } }, /test\.labels\[0\] is 3/],
    ['test images of another size', { test: { images: bytes(11), labels: [0] } }, /test\.images has 11 bytes/],
    [
      'test images of other channels',
      { test: { images: bytes(6), labels: [0], shape: [2, 3, 1] } },
      /test\.shape has 1 channels, the training images have 2/,
    ],
    [
      'a bad test shape',
      { test: { images: bytes(6), labels: [0], shape: [6] } },
      /test\.shape must be \[height, width, channels\]/,
    ],
    ['an unknown option of the test', { test: { images: bytes(12), label: [0] } }, /test: unknown option 'label'/],
    ['an unknown augmentation', { augment: { crop: 4 } }, /augment: unknown option 'crop'/],
    ['a bad pad', { augment: { pad: -1 } }, /pad must be an integer of at least 0/],
    ['a bad padding', { augment: { padMode: 'edge' } }, /padMode must be one of zero, reflect/],
    ['reflection beyond the image', { augment: { pad: 2, padMode: 'reflect' } }, /these are 2x3/],
    ['a bad flip', { augment: { flip: 0.5 } }, /flip must be true or false/],
  ])('refuses %s', (_, change, message) => {
    const given = Object.fromEntries(Object.entries({ ...good, ...change }).filter(([, value]) => value !== undefined))
    expect(() => fromArrays(given as unknown as FromArraysOptions)).toThrow(InvalidArgument)
    expect(() => fromArrays(given as unknown as FromArraysOptions)).toThrow(message)
  })
})

describe('checkBatch', () => {
  const spec: BatchSpec = { batchSize: 2, shape: [1, 3, 1], numClasses: 4, imageType: 'u8', mixed: false }
  const batch: Batch = { images: bytes(6), labels: Int32Array.of(3, -1) }
  const mix = { labels2: Int32Array.of(0, 1), lambda: Float32Array.of(0, 1) }

  it('accepts what fits', () => {
    checkBatch(batch, spec, 'batch 0')
    checkBatch({ ...batch, images: new Float32Array(6) }, { ...spec, imageType: 'f32' }, 'batch 0')
    checkBatch({ ...batch, ...mix }, { ...spec, mixed: true }, 'batch 0')
  })

  it.each<[string, object, Partial<BatchSpec>, RegExp]>([
    ['floats for bytes', { images: new Float32Array(6) }, {}, /images must be a Uint8Array \(imageType 'u8'\)/],
    ['a short batch', { images: bytes(3) }, {}, /images has 3 values, \[2, 1, 3, 1\] needs 6 \(fill a short batch/],
    ['labels of another type', { labels: [0, 1] }, {}, /labels must be an Int32Array of length 2/],
    ['labels of another length', { labels: Int32Array.of(1) }, {}, /labels must be an Int32Array of length 2/],
    ['a label that is no class', { labels: Int32Array.of(0, 4) }, {}, /labels\[1\] is 4; labels are 0 to 3/],
    ['a second label out of place', mix, {}, /need `mixed: true`/],
    ['a second label that is missing', {}, { mixed: true }, /labels2 and lambda are missing/],
    ['a weight out of range', { ...mix, lambda: Float32Array.of(0, 1.5) }, { mixed: true }, /lambda must be .* from 0 to 1/],
  ])('names the batch and %s', (_, change, other, message) => {
    const check = () => checkBatch({ ...batch, ...change }, { ...spec, ...other }, 'batch 7')
    expect(check).toThrow(InvalidArgument)
    expect(check).toThrow(message)
    expect(check).toThrow(/^batch 7: /)
  })
})
