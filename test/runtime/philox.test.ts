import { expect, test } from 'vitest'
import { integerBelow, philox4x32, philoxBlock, philoxUniform, uniformOf } from '../../src/runtime/philox.js'

/** The known answers of the Random123 library (kat_vectors), Philox-4x32 with 10 rounds. */
test.each([
  [
    [0, 0],
    [0, 0, 0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0xa4093822, 0x299f31d0],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('key %o, counter %o', (key, counter, answer) => {
  const words = Uint32Array.from(counter)
  philox4x32(key[0]!, key[1]!, words)
  expect([...words]).toEqual(answer)
})

test('the counter holds block, step and operation', () => {
  const words = new Uint32Array(4)
  philoxBlock(2 ** 40 + 3, 2 ** 33 + 5, 7, 2 ** 35 + 9, words)
  const expected = Uint32Array.of(9, 8 | (2 << 16), 7, 5)
  philox4x32(3, 256, expected)
  expect(words).toEqual(expected)
})

test('one element is its word of the block, as a number in [0, 1)', () => {
  const words = new Uint32Array(4)
  philoxBlock(1, 2, 3, 4, words)
  for (let i = 0; i < 4; i++) expect(philoxUniform(1, 2, 3, 16 + i)).toBe(uniformOf(words[i]!))
  expect(uniformOf(0xffffffff)).toBe(1 - 2 ** -24)
})

test('integerBelow is the upper half of the product', () => {
  for (const word of [0, 1, 0x7fffffff, 0xdeadbeef, 0xffffffff]) {
    for (const n of [1, 3, 1000, 0x10001, 0xffffffff])
      expect(integerBelow(word, n)).toBe(Number((BigInt(word) * BigInt(n)) >> 32n))
  }
})
