/** The spread of repeated measurements. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  /** A tenth of the values is below (above) it. */
  readonly p10: number
  readonly p90: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => quantile(sorted, share)
  return { median: at(0.5), min: at(0), max: at(1), p10: at(0.1), p90: at(0.9) }
}

/** Linear between the two nearest of the sorted values. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const [low, high] = [sorted[below]!, sorted[Math.ceil(place)]!]
  return low + (place - below) * (high - low)
}
