/**
 * Convolutions large enough for Winograd's algorithm: against the reference, with guards around every buffer, and against the direct convolution,
 * whose bits are others. Its transforms multiply by up to 8 and divide by up to 24, so that it rounds by more: measured up to 1.3 times the
 * tolerance of a direct sum, hence four times that tolerance.
 */
import { describe, expect, test } from 'vitest'
import { convolutionCasesOf, type Geometry } from './cases/convolution.js'
import { batchOf, expectResults, runCase, toleranceOf } from './helpers.js'

const same = [1, 1, 1, 1]

const geometries: readonly Geometry[] = [
  { name: 'whole tiles', x: [8, 16, 16, 16], filters: [32, 3, 3], pad: same },
  { name: 'tiles that reach over the edge', x: [5, 14, 13, 64], filters: [64, 3, 3], pad: same },
  { name: 'panels of all widths', x: [6, 15, 17, 48], filters: [112, 3, 3], pad: same },
  { name: 'images of less than a tile', x: [128, 3, 3, 64], filters: [64, 3, 3], pad: same },
  { name: 'no padding', x: [8, 18, 14, 32], filters: [16, 3, 3] },
  { name: 'padding of four sides', x: [8, 15, 15, 32], filters: [32, 3, 3], pad: [0, 1, 2, 1] },
  { name: 'channels that fill no vector', x: [8, 16, 15, 44], filters: [12, 3, 3], pad: same },
  { name: 'filters that fill no vector', x: [8, 16, 16, 12], filters: [70, 3, 3], pad: same },
  { name: 'sums that leave the cache', x: [12, 20, 20, 96], filters: [96, 3, 3], pad: same },
]

const winograd = convolutionCasesOf(geometries)

describe.each(winograd)('$op: $name', each => {
  const tolerance = 4 * toleranceOf(each)

  test('gives what the reference gives', async () => {
    const expected = await runCase(each, false, { device: 'reference' })
    expectResults(await runCase(each, false, { device: 'cpu' }), expected, tolerance)
  })

  test('is not the direct convolution, which can be had', async () => {
    const direct = await runCase(each, false, { device: 'cpu', disabledPasses: ['own-convolutions'] })
    const actual = await runCase(each, false, { device: 'cpu' })
    expect(actual).not.toEqual(direct)
    expectResults(actual, direct, tolerance)
  })

  test('may be cut into chunks', async () => {
    const whole = await runCase(each, false, { device: 'cpu' })
    const batch = batchOf(each)
    for (const chunk of [1, Math.ceil(batch / 2), batch - 1]) {
      // Of a filter's gradient each thread adds up a part of the chunk.
      expectResults(await runCase(each, false, { device: 'cpu', chunk }), whole, each.op === 'conv2dBwdFilter' ? tolerance : 0)
    }
  })
})
