// Medians with their spread, and ratios of rounds that ran side by side.
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), lowest: Math.min(...values), highest: Math.max(...values) }
}

/** numerators[i] / denominators[i]: what slows down one round of the machine slows down both. */
export function pairedRatios(numerators: readonly number[], denominators: readonly number[]): Spread {
  return spread(numerators.map((value, i) => value / denominators[i]!))
}

/** Largest |a[i] - b[i]| as a share of the largest |a[i]|; not a number where either has one that is not finite. */
export function relativeDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length || [...a, ...b].some(value => !Number.isFinite(value))) return NaN
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest
}
