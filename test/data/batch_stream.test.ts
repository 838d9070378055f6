import { describe, expect, it } from 'vitest'
import { fromBatches, type Batch, type BatchStreamOptions } from '../../src/data/index.js'
import { InvalidArgument } from '../../src/runtime/errors.js'

async function* none(): AsyncGenerator<Batch> {
  // No batch is ever asked for.
}
const good: BatchStreamOptions = { train: none, shape: [4, 6, 2], numClasses: 3, batchesPerEpoch: 1 }

describe('fromBatches', () => {
  it('fills in what is not given', () => {
    expect(fromBatches(good)).toEqual({
      ...good,
      kind: 'stream',
      testShape: [4, 6, 2],
      imageType: 'u8',
      mean: [0, 0],
      std: [1, 1],
      mixed: false,
      name: 'batches',
    })
    expect(fromBatches({ ...good, testShape: [8, 9, 2] }).testShape).toEqual([8, 9, 2])
  })

  it.each<[string, object, RegExp]>([
    ['a shape without channels', { shape: [4, 6] }, /shape must be \[height, width, channels\]/],
    ['a size of 0', { shape: [4, 0, 2] }, /shape\[1\] must be an integer of at least 1, got 0/],
    ['a bad test shape', { testShape: [4, 6] }, /testShape must be \[height, width, channels\]/],
    ['a test shape of other channels', { testShape: [4, 6, 1] }, /testShape has 1 channels, shape has 2/],
    ['a mean of another length', { mean: [0] }, /mean must have one number a channel \(2\), got 1/],
    ['an unknown option', { tets: none }, /unknown option 'tets'\. Did you mean 'test'/],
  ])('refuses %s', (_, change, message) => {
    expect(() => fromBatches({ ...good, ...change })).toThrow(InvalidArgument)
    expect(() => fromBatches({ ...good, ...change })).toThrow(message)
  })
})
