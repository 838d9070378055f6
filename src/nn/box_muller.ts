/**
 * Normal numbers by the Box-Muller transform: two words of 24 random bits make two of them. `plainPair` says what they are;
 * `boxMuller` writes the same f32 bits in a third of the time. It takes logarithm, sine and cosine from tables and short polynomials, in f64,
 * and where the rounding to f32 could depend on their error it calls `plainPair`: Math.log, Math.sin and Math.cos are right to a few 2^-52.
 */

const fraction = 2 ** -24

/** Two normal numbers of mean 0 into `out` at `at`; the second only where there is room. `a`, `b`: integers of 24 bits. */
export function plainPair(a: number, b: number, deviation: number, out: Float32Array, at: number): void {
  const radius = deviation * Math.sqrt(-2 * Math.log(1 - a * fraction))
  const angle = 2 * Math.PI * (b * fraction)
  out[at] = radius * Math.cos(angle)
  if (at + 1 < out.length) out[at + 1] = radius * Math.sin(angle)
}

/** Intervals that the tables divide [1, 2) and a full turn into, each with what is needed of its middle. */
const intervals = 512
const tableOf = (value: (middle: number) => number) =>
  Float64Array.from({ length: intervals }, (_, i) => value((i + 0.5) / intervals))
let tables: ReturnType<typeof makeTables> | undefined
const makeTables = () => ({
  reciprocals: tableOf(x => 1 / (1 + x)),
  logarithms: tableOf(x => Math.log(1 + x)),
  cosines: tableOf(x => Math.cos(2 * Math.PI * x)),
  sines: tableOf(x => Math.sin(2 * Math.PI * x)),
})

/** Where -2·log is smaller, its error counts: the terms of the sum cancel. */
const smallest = 2 ** -6
/**
 * A bound on the difference of both ways, relative to the radius. The angle is off by 2^-50 at most (two roundings of numbers below 8), -2·log by
 * 2^-51 + 2^-51 of itself, hence its root by at most 2^-46 of itself; what the polynomials leave out is below 2^-60.
 */
const margin = 2 ** -45

/** As plainPair, for the four words of a block: into out[at] … out[at+3], as far as there is room. */
export function boxMuller(words: Uint32Array, deviation: number, out: Float32Array, at: number): void {
  const { reciprocals, logarithms, cosines, sines } = (tables ??= makeTables())
  for (let pair = 0; pair < 4 && at + pair < out.length; pair += 2) {
    const a = words[pair]! >>> 8
    const b = words[pair + 1]! >>> 8
    // 1 - a/2^24 = 2^-shift · m/2^24 with m in [2^24, 2^25); log(m/2^24) is that of its interval's middle and log(1+t).
    const rest = 0x1000000 - a
    const shift = Math.clz32(rest) - 7
    const m = rest << shift
    const i = (m >>> 15) & 511
    const t = ((m & 0x7fff) - 0x4000) * fraction * reciprocals[i]!
    const log = t * (1 - t * (1 / 2 - t * (1 / 3 - t * (1 / 4 - t * (1 / 5))))) + logarithms[i]! - shift * Math.LN2
    const squared = -2 * log
    // The angle is that of its interval's middle and d.
    const j = b >>> 15
    const d = ((b & 0x7fff) - 0x4000) * (2 * Math.PI * fraction)
    const d2 = d * d
    const sin = d * (1 - d2 * (1 / 6 - d2 * (1 / 120)))
    const cos = 1 - d2 * (1 / 2 - d2 * (1 / 24 - d2 * (1 / 720)))
    const radius = deviation * Math.sqrt(squared)
    const x = radius * (cosines[j]! * cos - sines[j]! * sin)
    const y = radius * (sines[j]! * cos + cosines[j]! * sin)
    const error = radius * margin
    const isSure =
      squared > smallest && Math.fround(x - error) === Math.fround(x + error) && Math.fround(y - error) === Math.fround(y + error)
    if (!isSure) plainPair(a, b, deviation, out, at + pair)
    else {
      out[at + pair] = x
      if (at + pair + 1 < out.length) out[at + pair + 1] = y
    }
  }
}
