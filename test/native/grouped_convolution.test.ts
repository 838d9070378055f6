/**
 * 3x3 convolutions with 4, 8 or 16 channels a group, which have loops of their own where a vector holds whole groups: against the reference, with
 * guards around every buffer, and against oneDNN's, whose bits are others.
 */
import { describe, expect, test } from 'vitest'
import type { Case } from './cases/case.js'
import { groupedCases, inGroupsOf, stride1, stride2 } from './cases/own_convolution.js'
import { batchOf, expectResults, runCase, toleranceOf } from './helpers.js'

const direct = { device: 'cpu', disabledPasses: ['own-convolutions'] } as const

describe.each(groupedCases)('$op: $name', each => {
  test('gives what the reference gives', async () => {
    const expected = await runCase(each, false, { device: 'reference' })
    expectResults(await runCase(each, false, { device: 'cpu' }), expected, toleranceOf(each))
  })

  test('is exact on small integers', async () => {
    const expected = await runCase(each, true, { device: 'reference' })
    expectResults(await runCase(each, true, { device: 'cpu' }), expected, 0)
  })

  test('gives the same bytes again, and in chunks', async () => {
    const whole = await runCase(each, false, { device: 'cpu' })
    const batch = batchOf(each)
    for (const chunk of [batch, 1, Math.ceil(batch / 2)])
      expect(await runCase(each, false, { device: 'cpu', chunk })).toEqual(whole)
  })
})

/** With a NaN in the first corner of the first image. */
const withNaN = inGroupsOf(4, [...stride1, ...stride2])
  .filter(({ name }) => name.endsWith('relu'))
  .map((each): Case => ({
    ...each,
    make: draw => {
      const example = each.make(draw)
      example.inputs.x!.data[0] = NaN
      return example
    },
    nonFinite: true,
  }))

test.each(withNaN)('$op lets NaN through: $name', async each => {
  const expected = await runCase(each, false, { device: 'reference' })
  expect(expected.y!.data).toContainEqual(NaN)
  expectResults(await runCase(each, false, { device: 'cpu' }), expected, toleranceOf(each))
})

// Of one pixel there is only one order to add up in.
test.each(groupedCases.filter(({ name }) => !name.startsWith('one pixel')))(
  '$op is not that of oneDNN, which can be had: $name',
  async each => {
    const [actual, expected] = [await runCase(each, false, { device: 'cpu' }), await runCase(each, false, direct)]
    expect(actual).not.toEqual(expected)
    expectResults(actual, expected, 2 * toleranceOf(each))
  },
)

test.each(inGroupsOf(16, stride1))('$op is that of oneDNN: $name', async each => {
  expect(await runCase(each, false, { device: 'cpu' })).toEqual(await runCase(each, false, direct))
})
