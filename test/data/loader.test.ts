import { describe, expect, it } from 'vitest'
import { fromArrays, Loader, type LoadedBatch, type LoaderOptions } from '../../src/data/index.js'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { permutation } from '../../src/runtime/philox.js'

const dataset = (size: number) =>
  fromArrays({
    images: Uint8Array.from({ length: size * 6 * 5 }, (_, i) => i % 256),
    labels: Array.from({ length: size }, (_, i) => i % 7),
    shape: [6, 5, 1],
    numClasses: 7,
  }).train

const all = (size: number, options: LoaderOptions, epoch = 0): LoadedBatch[] => [
  ...new Loader(dataset(size), options).batches(epoch),
]
const training = { batchSize: 16, seed: 5, shuffle: true, dropLast: true, augment: { pad: 2, flip: true, cutout: 3 } }

describe('permutation', () => {
  it('holds every number once, for every size', () => {
    for (let n = 0; n < 70; ++n)
      expect([...permutation(n, 9, n)].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
  })

  it('is a function of seed and epoch', () => {
    expect(permutation(100, 1, 2)).toEqual(permutation(100, 1, 2))
    expect(permutation(100, 1, 2)).not.toEqual(permutation(100, 1, 3))
    expect(permutation(100, 1, 2)).not.toEqual(permutation(100, 2, 2))
    expect(permutation(100, 1, 2)).not.toEqual(permutation(100, 1 + 2 ** 32, 2))
  })

  it('puts every number everywhere about equally often', () => {
    const counts = new Map<string, number>()
    for (let epoch = 0; epoch < 2400; ++epoch) {
      const order = permutation(4, 3, epoch).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    // 100 expected; the standard deviation is 9.8.
    for (const [order, count] of counts) expect(Math.abs(count - 100), order).toBeLessThan(45)
  })
})

describe('evaluation', () => {
  it('goes through the data set in order and fills the last batch with -1', () => {
    const batches = all(10, { batchSize: 4 })
    expect(batches.map(({ count }) => count)).toEqual([4, 4, 2])
    expect(batches.flatMap(({ indices }) => [...indices])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1])
    expect(batches.flatMap(({ labels }) => [...labels])).toEqual([0, 1, 2, 3, 4, 5, 6, 0, 1, 2, -1, -1])
    for (const { offsets, flips, cutouts } of batches) {
      expect(offsets).toEqual(new Int32Array(8))
      expect(flips).toEqual(new Uint8Array(4))
      expect(cutouts).toBeUndefined()
    }
  })

  it('has no batch for no images', () => {
    const { test } = fromArrays({ images: Uint8Array.of(0, 1), labels: [0], shape: [1, 2, 1] })
    expect([...new Loader(test, { batchSize: 4 }).batches(0)]).toEqual([])
  })
})

describe('ranks of a data-parallel training', () => {
  const columns = (batch: LoadedBatch) =>
    Array.from(batch.indices, (image, i) => [image, batch.labels[i], batch.flips[i], ...batch.offsets.slice(2 * i, 2 * i + 2)])

  it('see together what one process sees with the batch of all, every image changed the same', () => {
    const whole = all(100, training, 2).map(columns)
    const ranks = [0, 1, 2, 3].map(rank => all(100, { ...training, batchSize: 4, rank, ranks: 4 }, 2).map(columns))
    for (const [i, batch] of whole.entries()) expect(ranks.flatMap(batches => batches[i]!)).toEqual(batch)
    expect(ranks.map(batches => batches.length)).toEqual([6, 6, 6, 6])
  })

  it('leave nobody out of an evaluation', () => {
    const ranks = [0, 1, 2].map(rank => all(10, { batchSize: 2, rank, ranks: 3 }))
    expect(ranks.map(batches => batches.map(({ count }) => count))).toEqual([
      [2, 2],
      [2, 2],
      [2, 0],
    ])
    expect(
      ranks
        .flat()
        .flatMap(({ indices, count }) => [...indices.subarray(0, count)])
        .sort(),
    ).toEqual([...Array(10).keys()])
  })

  it.each([
    [{ rank: 2, ranks: 2 }, 'rank must be 0 to 1 of 2 ranks, got 2'],
    [{ rank: -1, ranks: 2 }, 'rank must be an integer of at least 0'],
    [{ ranks: 0 }, 'ranks must be an integer of at least 1'],
    [{ ranks: 7, batchSize: 16, dropLast: true }, 'batchSize 16 of 7 ranks is larger than the 100 images'],
  ])('are refused as %o', (wrong, message) => {
    expect(() => new Loader(dataset(100), { batchSize: 4, ...wrong })).toThrow(message)
  })
})

describe('training', () => {
  it('shows every image at most once an epoch, with its label, in full batches', () => {
    const batches = all(100, training)
    expect(batches.length).toBe(6)
    const indices = batches.flatMap(batch => [...batch.indices])
    expect(new Set(indices).size).toBe(96)
    expect(batches.flatMap(({ labels }) => [...labels])).toEqual(indices.map(index => index % 7))
  })

  it('gives the same batches again, from any batch on', () => {
    const batches = all(100, training, 3)
    expect(all(100, training, 3)).toEqual(batches)
    const loader = new Loader(dataset(100), training)
    for (let first = 0; first <= batches.length; ++first) expect([...loader.batches(3, first)]).toEqual(batches.slice(first))
  })

  it('treats an image the same whatever its batch', () => {
    const byImage = (batchSize: number) =>
      new Map(
        all(64, { ...training, batchSize }).flatMap(({ indices, offsets, flips, cutouts }) =>
          Array.from(
            indices,
            (index, n) => [index, [...offsets.subarray(2 * n, 2 * n + 2), flips[n], cutouts?.[2 * n]]] as const,
          ),
        ),
      )
    expect(byImage(8)).toEqual(byImage(32))
  })

  it('changes with epoch and seed', () => {
    for (const key of ['indices', 'offsets', 'flips', 'cutouts'] as const) {
      const values = (options: LoaderOptions, epoch: number) => all(100, options, epoch).map(batch => batch[key])
      expect(values(training, 0)).not.toEqual(values(training, 1))
      expect(values(training, 0)).not.toEqual(values({ ...training, seed: 6 }, 0))
    }
  })

  it('draws offsets, flips and cutouts evenly from their whole range', () => {
    const rows = new Float64Array(5)
    const columns = new Float64Array(5)
    const cutRows = new Float64Array(6)
    const cutColumns = new Float64Array(5)
    let flipped = 0
    const epochs = 60
    for (let epoch = 0; epoch < epochs; ++epoch)
      for (const { indices, offsets, flips, cutouts } of all(100, { ...training, batchSize: 100 }, epoch))
        indices.forEach((_, n) => {
          rows[offsets[2 * n]!]! += 1
          columns[offsets[2 * n + 1]!]! += 1
          cutRows[cutouts![2 * n]!]! += 1
          cutColumns[cutouts![2 * n + 1]!]! += 1
          flipped += flips[n]!
        })
    const total = 100 * epochs
    for (const counts of [rows, columns, cutRows, cutColumns]) {
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total)
      // Standard deviation at most 31.
      for (const count of counts) expect(Math.abs(count - total / counts.length)).toBeLessThan(150)
    }
    expect(Math.abs(flipped - total / 2)).toBeLessThan(190)
  })

  it('crops only where there is padding, flips only where asked', () => {
    for (const { offsets } of all(64, { ...training, augment: { flip: true } })) expect(offsets).toEqual(new Int32Array(32))
    for (const { flips } of all(64, { ...training, augment: { pad: 2 } })) expect(flips).toEqual(new Uint8Array(16))
  })

  it('fills the last batch where it is not dropped', () => {
    const last = all(20, { ...training, dropLast: false }).at(-1)!
    expect(last.count).toBe(4)
    expect([...last.indices.subarray(4)]).toEqual(Array(12).fill(-1))
    // No image, no change: the crop in the middle.
    expect([...last.offsets.subarray(8)]).toEqual(Array(24).fill(2))
  })
})

it.each<[string, Partial<LoaderOptions>, RegExp]>([
  ['a bad batch size', { batchSize: 0 }, /batchSize must be an integer of at least 1/],
  ['a batch larger than the data', { batchSize: 101 }, /batchSize 101 is larger than the 100 images/],
  ['a bad seed', { seed: -1 }, /seed must be an integer from 0/],
  ['a bad augmentation', { augment: { pad: 0.5 } }, /pad must be an integer/],
])('refuses %s', (_, change, message) => {
  expect(() => new Loader(dataset(100), { ...training, ...change })).toThrow(InvalidArgument)
  expect(() => new Loader(dataset(100), { ...training, ...change })).toThrow(message)
})
