/** Where the inputs of a case come from: seeded random numbers, or small integers, with which f32 arithmetic is exact. */
import type { HostTensor, Shape } from '../../../src/runtime/dtype.js'

export interface Draw {
  /** Small integers: results must be equal bit for bit where the formula allows it. */
  readonly exact: boolean
  /** Normal numbers; or integers from -3 to 3. */
  values(shape: Shape): HostTensor<Float32Array>
  /** From 0.5 to 2; or 1, 2 or 4. */
  positive(shape: Shape): HostTensor<Float32Array>
  /** From 0 to 1; or a multiple of 1/4. */
  fractions(shape: Shape): HostTensor<Float32Array>
  /** From `low` to `high`, both included. */
  integers(low: number, high: number, shape: Shape): HostTensor<Int32Array>
  bytes(high: number, shape: Shape): HostTensor<Uint8Array>
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, dim) => product * dim, 1)

export function makeDraw(seed: number, exact: boolean): Draw {
  const uniform = mulberry32(seed)
  const upTo = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1))
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  const floats = (shape: Shape, next: () => number) => ({ shape, data: Float32Array.from({ length: sizeOf(shape) }, next) })
  return {
    exact,
    values: shape => floats(shape, exact ? () => upTo(-3, 3) : normal),
    positive: shape => floats(shape, exact ? () => 2 ** upTo(0, 2) : () => 0.5 + 1.5 * uniform()),
    fractions: shape => floats(shape, exact ? () => upTo(0, 4) / 4 : uniform),
    integers: (low, high, shape) => ({ shape, data: Int32Array.from({ length: sizeOf(shape) }, () => upTo(low, high)) }),
    bytes: (high, shape) => ({ shape, data: Uint8Array.from({ length: sizeOf(shape) }, () => upTo(0, high)) }),
  }
}

/** A small generator of uniform numbers in [0, 1), by Tommy Ettinger. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Numbers written out. */
export const f32 = (...values: number[]): HostTensor<Float32Array> => ({
  shape: [values.length],
  data: Float32Array.from(values),
})
export const i32 = (...values: number[]): HostTensor<Int32Array> => ({ shape: [values.length], data: Int32Array.from(values) })
export const u8 = (...values: number[]): HostTensor<Uint8Array> => ({ shape: [values.length], data: Uint8Array.from(values) })

/** The same numbers under another shape. */
export const shaped = (tensor: HostTensor, ...shape: number[]): HostTensor => ({ ...tensor, shape })
