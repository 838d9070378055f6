/** Mixup and cutmix: the shares' distribution, the boxes, the labels, and that all is a function of (seed, epoch, place). */
import { describe, expect, it } from 'vitest'
import { checkMix, mixBatch, type MixedBatch } from '../../src/data/mix.js'

const n = 4000
const [height, width] = [20, 30]
const labels = Int32Array.from({ length: n }, (_, i) => i % 7)
const mix = (mixup: number, cutmix: number, place: Partial<{ seed: number; epoch: number; first: number }> = {}, of = labels) =>
  mixBatch({ mixup, cutmix }, of, [height, width], { seed: 5, epoch: 1, first: 0, ...place })
const previous = (i: number) => (i + n - 1) % n
/** The image's own share: of every pixel with mixup, of the area with cutmix. */
const ownShare = ({ rows, columns }: MixedBatch, i: number) => {
  const sum = (line: Float32Array, size: number) =>
    line.subarray(i * size, (i + 1) * size).reduce((total, x) => total + x, 0) / size
  return 1 - sum(rows, height) * sum(columns, width)
}

describe.each([0.1, 0.2, 1, 4])('alpha %f', alpha => {
  it("gives mixup's shares Beta(alpha, alpha), and every pixel of an image the same", () => {
    const mixed = mix(alpha, 0)
    const shares = Array.from({ length: n }, (_, i) => ownShare(mixed, i))
    const mean = shares.reduce((sum, x) => sum + x, 0) / n
    const variance = shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n
    // Five standard errors of the mean of n numbers; the variance of Beta(a, a) is 1 / (4·(2a + 1)).
    const expected = 1 / (4 * (2 * alpha + 1))
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(expected / n))
    expect(variance / expected).toBeGreaterThan(0.9)
    expect(variance / expected).toBeLessThan(1.1)
    expect(mixed.columns.every(x => x === 1)).toBe(true)
    for (let i = 0; i < n; ++i) expect(new Set(mixed.rows.subarray(i * height, (i + 1) * height)).size).toBe(1)
  })
})

it('gives cutmix boxes, whose area is the share of the other label', () => {
  const mixed = mix(0, 1)
  expect([...mixed.rows, ...mixed.columns].every(x => x === 0 || x === 1)).toBe(true)
  for (let i = 0; i < n; ++i) {
    const rows = mixed.rows.subarray(i * height, (i + 1) * height).join('')
    expect(rows).toMatch(/^0*1*0*$/)
    expect(Math.max(mixed.lambda[i]!, 1 - mixed.lambda[i]!)).toBeCloseTo(Math.max(ownShare(mixed, i), 1 - ownShare(mixed, i)), 5)
  }
  // Centres lie anywhere, so that some boxes stand over an edge.
  expect(mixed.rows.filter((x, i) => i % height === 0 && x === 1).length).toBeGreaterThan(n / 10)
})

it('names the label with the larger share first', () => {
  const mixed = mix(1, 1)
  for (let i = 0; i < n; ++i) {
    const pair = [labels[i]!, labels[previous(i)]!]
    if (ownShare(mixed, i) < 0.5) pair.reverse()
    expect([mixed.labels[i], mixed.labels2[i]]).toEqual(pair)
    expect(mixed.lambda[i]).toBeGreaterThanOrEqual(0.5)
  }
})

it('takes each way for half of the images where both are asked for', () => {
  const { columns } = mix(1, 1)
  const mixups = labels.filter((_, i) => columns.subarray(i * width, (i + 1) * width).every(x => x === 1)).length
  expect(Math.abs(mixups / n - 0.5)).toBeLessThan(0.05)
})

it('is a function of seed, epoch and place', () => {
  const whole = mix(0.2, 1)
  const part = mix(0.2, 1, { first: 1000 }, labels.slice(1000, 2000))
  expect(part.rows).toEqual(whole.rows.slice(1000 * height, 2000 * height))
  expect(part.lambda).toEqual(whole.lambda.slice(1000, 2000))
  for (const other of [{ seed: 6 }, { epoch: 2 }]) expect(mix(0.2, 1, other).lambda).not.toEqual(whole.lambda)
})

it.each([
  [{ mixup: -1, cutmix: 0 }, 8, /mixup must be a number of at least 0/],
  [{ mixup: 0, cutmix: NaN }, 8, /cutmix must be a number of at least 0/],
  [{ mixup: 0.2, cutmix: 0 }, 1, /mixup and cutmix need two images a batch, batchSize is 1/],
] as const)('refuses %o with %d', (given, batchSize, message) => {
  expect(() => checkMix('Trainer', given, batchSize)).toThrow(message)
  expect(() => checkMix('Trainer', { mixup: 0.2, cutmix: 1 }, 2)).not.toThrow()
})
