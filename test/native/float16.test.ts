/** The 16-bit floats: codes and numbers, here and in every backend's `cast`. */
import { describe, expect, test } from 'vitest'
import { run } from '../../src/graph/run.js'
import type { Float16 } from '../../src/runtime/dtype.js'
import { decodeFloat16, encodeFloat16 } from '../../src/runtime/float16.js'
import { missingType, testedDevices } from './helpers.js'

const allCodes = Uint16Array.from({ length: 65536 }, (_, code) => code)
const devices = ['reference', ...testedDevices]
const isNaNCode = { bf16: (code: number) => (code & 0x7fff) > 0x7f80, f16: (code: number) => (code & 0x7fff) > 0x7c00 }

/** Every number of the type, what lies halfway between neighbours, and what lies beside that. */
function awkward(dtype: Float16): Float32Array {
  const numbers = decodeFloat16(allCodes, dtype)
  const values = [...numbers, 65519.99, 65520, -65520, 1e38, 3.4e38, 1e-45, -1e-45, NaN, Infinity, -Infinity, 0, -0]
  for (let code = 0; code < 0x7fff; code++) {
    const half = (numbers[code]! + numbers[code + 1]!) / 2
    if (Number.isFinite(half)) values.push(half, half * (1 + 2 ** -23), half * (1 - 2 ** -23), -half)
  }
  return Float32Array.from(values)
}

const same = (a: number, b: number, dtype: Float16) => a === b || (isNaNCode[dtype](a) && isNaNCode[dtype](b))

describe.each(['bf16', 'f16'] as const)('%s', dtype => {
  test('known codes', () => {
    const known = { bf16: [0x3f80, 0xbf80, 0x3eab, 0x7f80, 0x0001], f16: [0x3c00, 0xbc00, 0x3555, 0x7c00, 0x0001] }[dtype]
    const smallest = { bf16: 2 ** -133, f16: 2 ** -24 }[dtype]
    expect([...encodeFloat16(Float32Array.of(1, -1, 1 / 3, Infinity, smallest), dtype)]).toEqual(known)
  })

  test('every code stands for a number that has this code', () => {
    const codes = encodeFloat16(decodeFloat16(allCodes, dtype), dtype)
    expect(allCodes.find((code, i) => !same(code, codes[i]!, dtype))).toBeUndefined()
  })

  test('rounds to the nearest, of two as near to the even one', () => {
    const values = awkward(dtype)
    const codes = encodeFloat16(values, dtype)
    const wrong = values.findIndex((value, i) => {
      if (Number.isNaN(value)) return !isNaNCode[dtype](codes[i]!)
      const [near] = decodeFloat16(codes.slice(i, i + 1), dtype)
      const code = codes[i]! & 0x7fff
      // Its neighbours, further from zero and nearer to it, are no better.
      return [code + 1, code - 1].some(other => {
        if (other < 0 || isNaNCode[dtype](other) || !Number.isFinite(value)) return false
        // Beyond the largest number lies what would be the next one.
        const numberOf = (c: number) =>
          c === (dtype === 'bf16' ? 0x7f80 : 0x7c00)
            ? dtype === 'bf16'
              ? 2 ** 128
              : 65536
            : decodeFloat16(Uint16Array.of(c), dtype)[0]!
        const [own, next] = [Math.abs(numberOf(code) - Math.abs(value)), Math.abs(numberOf(other) - Math.abs(value))]
        return next < own || (next === own && code % 2 === 1 && near !== value)
      })
    })
    expect(wrong === -1 ? undefined : values[wrong]).toBeUndefined()
  })

  describe.each(devices)('on %s', device => {
    const missing = missingType(device, dtype)
    if (missing !== undefined) test.skip(missing)
    else test('cast gives the same codes and numbers', () => castsAlike(device, dtype))
  })
})

async function castsAlike(device: string, dtype: Float16) {
  const values = awkward(dtype)
  const { y } = await run(
    'cast',
    { x: { shape: [values.length], data: values } },
    {},
    { device, outputs: { y: { shape: [values.length], dtype } } },
  )
  const expected = encodeFloat16(values, dtype)
  const codes = y!.data
  expect(y!.dtype).toBe(dtype)
  expect(expected.findIndex((code, i) => !same(code, codes[i]!, dtype))).toBe(-1)
  const back = await run(
    'cast',
    { x: { shape: [65536], data: allCodes, dtype } },
    {},
    { device, outputs: { y: { shape: [65536] } } },
  )
  expect(back.y!.data).toEqual(decodeFloat16(allCodes, dtype))
}
