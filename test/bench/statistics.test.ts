import { describe, expect, it } from 'vitest'
import { median, pairedRatios, relativeDifference, spread } from '../../bench/statistics.js'

describe('the statistics of the bench', () => {
  it('takes the middle value, or the mean of the two in the middle, and leaves the list as it was', () => {
    const odd = [10, 9, 100]
    expect(median(odd)).toBe(10)
    expect(odd).toEqual([10, 9, 100])
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  it('gives the extremes beside the median', () => {
    expect(spread([5, 7, 6, 100])).toEqual({ median: 6.5, lowest: 5, highest: 100 })
  })

  it('compares round by round, so that a slow round of the machine does not count', () => {
    // The third round was ten times as slow for both; medians apart would say 2.2.
    expect(pairedRatios([20, 22, 200], [10, 10, 100])).toEqual({ median: 2, lowest: 2, highest: 2.2 })
  })

  it('measures a difference as a share of the largest value', () => {
    expect(relativeDifference([1, -4, 2], [1, -4, 2])).toBe(0)
    expect(relativeDifference([1, -4, 2], [1.5, -4, 2])).toBe(0.125)
  })

  it('never takes outputs for equal that are not finite or not as many', () => {
    expect(relativeDifference([1, NaN], [1, NaN])).toBeNaN()
    expect(relativeDifference([Infinity], [Infinity])).toBeNaN()
    expect(relativeDifference([1, 2], [1])).toBeNaN()
  })
})
