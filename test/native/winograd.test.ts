/**
 * Convolutions large enough for Winograd's algorithm: against the reference, with guards around every buffer, and against the direct convolution,
 * whose bits are others. Its transforms multiply by up to 8 and divide by up to 24, so that it rounds by more: measured up to 1.3 times the
 * tolerance of a direct sum, hence four times that tolerance.
 */
import { describe, expect, test } from 'vitest'
import { convolutionCasesOf } from './cases/convolution.js'
import { winogradGeometries } from './cases/own_convolution.js'
import { batchOf, expectResults, runCase, toleranceOf } from './helpers.js'

const winograd = convolutionCasesOf(winogradGeometries)

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
