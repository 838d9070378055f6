/** Fewer images of a data set. */
import { expect, it } from 'vitest'
import { fromArrays } from '../../src/data/index.js'
import { thinned } from '../../src/data/thin.js'

const sorted = (count: number) => ({
  images: Uint8Array.from({ length: 2 * count }, (_, i) => i),
  labels: Array.from({ length: count }, (_, i) => Math.floor((3 * i) / count)),
  shape: [1, 2, 1] as const,
})
const data = fromArrays({ ...sorted(9), test: sorted(6) })

it('takes them evenly, so that every class of a sorted file is there, and each with its label', () => {
  const { train, test, mean } = thinned(data, { train: 3 })
  expect([...train.images]).toEqual([0, 1, 6, 7, 12, 13])
  expect([[...train.labels], train.size]).toEqual([[0, 1, 2], 3])
  expect(test).toBe(data.test)
  expect(mean).toBe(data.mean)
  expect([...thinned(data, { test: 4 }).test.labels]).toEqual([0, 0, 1, 2])
})

it('refuses more than there are', () => {
  expect(() => thinned(data, { train: 10 })).toThrow('arrays has 9 training images, not 10')
})
