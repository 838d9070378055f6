/** Means, standard deviations, and the confidence interval of a mean difference, for the few values that seeds give. */

/** How a quantity came out over the seeds. */
export interface MeanAndDeviation {
  /** Number of values. */
  readonly count: number
  readonly mean: number
  /** Of the sample (n - 1 in the denominator); undefined for a single value. */
  readonly deviation: number | undefined
}

/** A mean difference of paired values. */
export interface PairedDifference extends MeanAndDeviation {
  /** The confidence interval of the mean; undefined for a single pair. */
  readonly interval: readonly [low: number, high: number] | undefined
}

/** Of at least one value. */
export function meanAndDeviation(values: readonly number[]): MeanAndDeviation {
  const count = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { count, mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : undefined }
}

/** Of pairs such as the results of one seed; the interval is Student's, mean ± t·s/√n, and holds for normal differences. */
export function pairedDifference(differences: readonly number[], confidence = 0.95): PairedDifference {
  const summary = meanAndDeviation(differences)
  const { count, mean, deviation } = summary
  if (deviation === undefined) return { ...summary, interval: undefined }
  const half = (studentQuantile((1 + confidence) / 2, count - 1) * deviation) / Math.sqrt(count)
  return { ...summary, interval: [mean - half, mean + half] }
}

/** The t that Student's distribution with so many degrees of freedom (a positive integer) is below with this probability, ½ to 1. */
export function studentQuantile(probability: number, freedom: number): number {
  const central = 2 * probability - 1
  let [low, high] = [0, 1]
  while (centralProbability(high, freedom) < central) [low, high] = [high, 2 * high]
  for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2)
    [low, high] = centralProbability(middle, freedom) < central ? [middle, high] : [low, middle]
  return high
}

/** That |T| < t: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4, exact for integers. */
function centralProbability(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom))
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
  const odd = freedom % 2 === 1
  let term = odd ? cosine : 1
  let sum = freedom === 1 ? 0 : term
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2
    sum += term
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum
}
