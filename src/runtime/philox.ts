/**
 * Philox-4x32-10, the same numbers as native/base/philox.h: a random number is a pure function of
 * (seed, step, operation, element), so a resumed run or another order of work gives the same bits.
 */
import { InvalidArgument } from './errors.js'

const TWO_32 = 2 ** 32

/** The high 32 bits of a·b, b given as its halves of 16 bits; from four products that fit into 32 bits each. Signed. */
function mulHigh(a: number, bHigh: number, bLow: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16)
  const carried = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff)
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carried >>> 16)) | 0
}

/** Ten rounds over `counter` (four words), in place. In signed words, which is what V8 computes fastest. */
export function philox4x32(key0: number, key1: number, counter: Uint32Array): void {
  let c0 = counter[0]! | 0
  let c1 = counter[1]! | 0
  let c2 = counter[2]! | 0
  let c3 = counter[3]! | 0
  let k0 = key0 | 0
  let k1 = key1 | 0
  for (let round = 0; round < 10; ++round) {
    const high0 = mulHigh(c0, 0xd251, 0x1f53)
    const low0 = Math.imul(0xd2511f53, c0)
    const high1 = mulHigh(c2, 0xcd9e, 0x8d57)
    const low1 = Math.imul(0xcd9e8d57, c2)
    c0 = high1 ^ c1 ^ k0
    c1 = low1
    c2 = high0 ^ c3 ^ k1
    c3 = low0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  counter[0] = c0
  counter[1] = c1
  counter[2] = c2
  counter[3] = c3
}

/** Four random words for elements 4·block … 4·block+3 of operation `opId` in step `step`, into `out`. Block and step have 48 bits. */
export function philoxBlock(seed: number, step: number, opId: number, block: number, out: Uint32Array): void {
  out[0] = block
  out[1] = (Math.floor(block / TWO_32) & 0xffff) | (Math.floor(step / TWO_32) << 16)
  out[2] = opId
  out[3] = step
  philox4x32(seed, Math.floor(seed / TWO_32), out)
}

/** The uniform number in [0,1) that one word stands for. */
export const uniformOf = (word: number): number => (word >>> 8) / 16777216

/** The uniform number in [0,1) of one element. */
export function philoxUniform(seed: number, step: number, opId: number, element: number): number {
  const words = new Uint32Array(4)
  philoxBlock(seed, step, opId, Math.floor(element / 4), words)
  return uniformOf(words[element % 4]!)
}

/** The integer in [0, n) that one word stands for: floor(word·n / 2³²). */
export const integerBelow = (word: number, n: number): number => mulHigh(word, n >>> 16, n & 0xffff) >>> 0

/** Operation numbers of the data side; operations of a graph count from 0 and never reach these. */
export const streams = {
  shuffle: 0xffffff00,
  augment: 0xffffff01,
  cutout: 0xffffff02,
  imageView: 0xffffff03,
  colour: 0xffffff04,
  erasing: 0xffffff05,
  noise: 0xffffff06,
  mix: 0xffffff07,
} as const

/** 0 … n−1 in the random order of one epoch (Fisher-Yates from the end; the exchange at position i uses element i). */
export function permutation(n: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i)
  const words = new Uint32Array(4)
  for (let i = n - 1, block = -1; i > 0; --i) {
    if (block !== i >>> 2) {
      block = i >>> 2
      philoxBlock(seed, epoch, streams.shuffle, block, words)
    }
    const j = integerBelow(words[i & 3]!, i + 1)
    const moved = order[i]!
    order[i] = order[j]!
    order[j] = moved
  }
  return order
}

/** A seed is a non-negative safe integer, so that it means the same in TypeScript and C++. */
export function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new InvalidArgument(`seed must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}, got ${seed}`)
}
