/** The 16-bit floats on the host: bf16 (8 bits of exponent, 7 of fraction) and f16 (5 and 10, IEEE 754 binary16). */
import type { Float16 } from './dtype.js'

const word = new Float32Array(1)
const bits = new Uint32Array(word.buffer)

/** The codes of numbers in a 16-bit type, rounded to nearest even; what is too large becomes infinity. */
export function encodeFloat16(values: Float32Array, dtype: Float16): Uint16Array {
  const encode = dtype === 'bf16' ? encodeBf16 : encodeF16
  const codes = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) codes[i] = encode(values[i]!)
  return codes
}

/** The numbers that codes stand for. */
export function decodeFloat16(codes: Uint16Array, dtype: Float16): Float32Array {
  const decode = dtype === 'bf16' ? decodeBf16 : decodeF16
  const values = new Float32Array(codes.length)
  for (let i = 0; i < codes.length; i++) values[i] = decode(codes[i]!)
  return values
}

function encodeBf16(value: number): number {
  word[0] = value
  const code = bits[0]!
  if (Number.isNaN(value)) return (code >>> 16) | 0x40
  return (code + 0x7fff + ((code >>> 16) & 1)) >>> 16
}

function decodeBf16(code: number): number {
  bits[0] = code << 16
  return word[0]!
}

function encodeF16(value: number): number {
  word[0] = value
  const sign = (bits[0]! >>> 16) & 0x8000
  if (Number.isNaN(value)) return sign | 0x7e00
  const magnitude = Math.abs(value)
  // In units of the spacing of the type's numbers there, of which a normal number has 1024 to 2047.
  const exponent = Math.max(((bits[0]! >>> 23) & 0xff) - 127, -14)
  const steps = roundHalfToEven(magnitude * 2 ** (10 - exponent))
  return sign | Math.min(((exponent + 14) << 10) + steps, 0x7c00)
}

function decodeF16(code: number): number {
  const exponent = (code >>> 10) & 0x1f
  const fraction = code & 0x3ff
  const sign = code & 0x8000 ? -1 : 1
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity
  return sign * (exponent ? fraction + 1024 : fraction) * 2 ** (Math.max(exponent, 1) - 25)
}

/** Of a number of at least 0. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below
}
