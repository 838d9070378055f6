/** Student's quantile against printed tables, and the statistics of a study on values worked by hand. */
import { describe, expect, it } from 'vitest'
import { meanAndDeviation, pairedDifference, studentQuantile } from '../../src/study/statistics.js'

describe('studentQuantile', () => {
  // Tables of Student's distribution, as in Abramowitz and Stegun, table 26.10.
  it.each([
    [0.975, 1, 12.706], [0.975, 2, 4.303], [0.975, 3, 3.182], [0.975, 4, 2.776], [0.975, 5, 2.571], [0.975, 9, 2.262],
    [0.975, 10, 2.228], [0.975, 29, 2.045], [0.975, 30, 2.042], [0.975, 120, 1.98], [0.95, 2, 2.92], [0.95, 7, 1.895],
    [0.995, 1, 63.657], [0.995, 2, 9.925], [0.995, 6, 3.707], [0.9995, 3, 12.924],
  ])('t(%d; %d) = %d', (probability, freedom, value) => {
    expect(Math.abs(studentQuantile(probability, freedom) - value)).toBeLessThan(0.00051)
  }) // prettier-ignore

  it('has closed forms for one and two degrees of freedom', () => {
    expect(studentQuantile(0.975, 1)).toBeCloseTo(Math.tan(0.475 * Math.PI), 10)
    expect(studentQuantile(0.975, 2)).toBeCloseTo(0.95 * Math.sqrt(2 / (1 - 0.95 ** 2)), 10)
    expect(studentQuantile(0.5, 4)).toBeCloseTo(0, 10)
  })

  it('comes to the normal distribution', () => {
    expect(studentQuantile(0.975, 100_000)).toBeCloseTo(1.95996, 4)
  })
})

it('the deviation is that of a sample', () => {
  expect(meanAndDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ count: 8, mean: 5, deviation: Math.sqrt(32 / 7) })
  expect(meanAndDeviation([3])).toEqual({ count: 1, mean: 3, deviation: undefined })
})

it('the interval of paired differences is mean ± t·s/√n', () => {
  const { mean, deviation, interval } = pairedDifference([1, 2, 3])
  expect([mean, deviation]).toEqual([2, 1])
  expect(interval![0]).toBeCloseTo(2 - 4.302653 / Math.sqrt(3), 5)
  expect(interval![1]).toBeCloseTo(2 + 4.302653 / Math.sqrt(3), 5)
  expect(pairedDifference([0.5]).interval).toBeUndefined()
})
