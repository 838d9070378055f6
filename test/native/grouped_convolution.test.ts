/**
 * 3x3 convolutions with 4, 8 or 16 channels a group, which have loops of their own where a vector holds whole groups: against the reference, with
 * guards around every buffer, and against oneDNN's, whose bits are others.
 */
import { describe, expect, test } from 'vitest'
import { deviceInfo } from '../../src/runtime/devices.js'
import type { Case } from './cases/case.js'
import { convolutionCasesOf, type Geometry } from './cases/convolution.js'
import { batchOf, expectResults, runCase, toleranceOf } from './helpers.js'

const lanes = { avx512: 16, avx2: 8 }[deviceInfo('cpu').instructions] ?? 4
const same = [1, 1, 1, 1]
const two = [2, 2]
const wide = [2, 2, 2, 2]

const stride1: readonly Geometry[] = [
  { name: 'odd size', x: [3, 13, 15, 32], filters: [32, 3, 3], pad: same },
  { name: 'padding of four sides', x: [2, 7, 9, 32], filters: [32, 3, 3], pad: [0, 1, 2, 1] },
]
const stride2: readonly Geometry[] = [
  { name: 'stride 2', x: [3, 16, 17, 32], filters: [32, 3, 3], stride: two, pad: same },
  { name: 'padding of four sides, stride 2', x: [2, 7, 8, 32], filters: [32, 3, 3], stride: two, pad: [2, 1, 1, 2] },
  {
    name: 'padding of four sides, stride 2, the other way',
    x: [2, 8, 7, 32],
    filters: [32, 3, 3],
    stride: two,
    pad: [1, 2, 2, 0],
  },
]
/** What does not depend on the size of groups. */
const others: readonly Geometry[] = [
  { name: 'one image', x: [1, 9, 17, 64], filters: [64, 3, 3], pad: same },
  { name: 'no padding', x: [2, 8, 10, 32], filters: [32, 3, 3] },
  { name: 'no padding, stride 2', x: [2, 8, 11, 32], filters: [32, 3, 3], stride: two },
  { name: 'one pixel', x: [5, 1, 1, 32], filters: [32, 3, 3], pad: same },
  { name: 'one pixel, stride 2', x: [5, 1, 1, 32], filters: [32, 3, 3], stride: two, pad: same },
  { name: 'one pixel, padding 2', x: [5, 1, 1, 32], filters: [32, 3, 3], pad: wide },
  { name: 'one pixel, padding 2, stride 2', x: [5, 1, 1, 32], filters: [32, 3, 3], stride: two, pad: wide },
  // Two threads share the block in the middle, or the only one.
  { name: 'three vectors', x: [2, 13, 15, 3 * lanes], filters: [3 * lanes, 3, 3], pad: same },
  { name: 'three vectors, stride 2', x: [2, 16, 17, 3 * lanes], filters: [3 * lanes, 3, 3], stride: two, pad: same },
  { name: '16 channels', x: [2, 13, 15, 16], filters: [16, 3, 3], pad: same },
  { name: '16 channels, stride 2', x: [2, 16, 17, 16], filters: [16, 3, 3], stride: two, pad: same },
  { name: 'bands', x: [2, 24, 25, 128], filters: [128, 3, 3], pad: same },
  { name: 'bands, stride 2', x: [1, 45, 46, 128], filters: [128, 3, 3], stride: two, pad: same },
]

const inGroupsOf = (group: number, geometries: readonly Geometry[]) =>
  convolutionCasesOf(geometries.map(each => ({ ...each, name: `${each.name}, ${group} a group`, groups: each.x[3]! / group })))

const cases = [
  ...inGroupsOf(4, [...stride1, ...stride2, ...others]),
  ...(lanes >= 8 ? inGroupsOf(8, [...stride1, ...stride2]) : []),
  ...(lanes >= 16 ? inGroupsOf(16, stride2) : []),
]

const direct = { device: 'cpu', disabledPasses: ['own-convolutions'] } as const

describe.each(cases)('$op: $name', each => {
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
test.each(cases.filter(({ name }) => !name.startsWith('one pixel')))(
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
