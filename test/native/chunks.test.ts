/**
 * Chunks: an operation that works image by image, or sums over images, may run on a few images at a time. With our own
 * kernels how the batch is cut changes no bit. A library's convolution may choose another implementation for another number
 * of images, and its filter gradient is a sum of chunks rounded to f32 (of oneDNN's three only this one differs here).
 */
import { describe, expect, test } from 'vitest'
import { vocabulary } from '../../src/graph/vocabulary.js'
import { cases } from './cases/index.js'
import { batchOf, canBeCut, expectResults, runCase, testedDevices, toleranceOf } from './helpers.js'

const ofTheLibrary = new Set(['conv2d', 'conv2dBwdData', 'conv2dBwdFilter'])

const cut = cases.filter(canBeCut)

test('every operation that may be cut is', () => {
  const names = Object.entries(vocabulary).flatMap(([op, { batch }]) => (batch === 'whole' ? [] : [op]))
  expect(names.filter(op => !cut.some(each => each.op === op))).toEqual([])
})

describe.each(['reference', ...testedDevices])('on %s', device => {
  test.each(cut)('$op: $name', async each => {
    const batch = batchOf(each)
    const whole = await runCase(each, false, { device })
    const rounds = device !== 'reference' && ofTheLibrary.has(each.op)
    for (const chunk of new Set([1, Math.ceil(batch / 2), batch - 1])) {
      expectResults(await runCase(each, false, { device, chunk }), whole, rounds ? toleranceOf(each) : 0)
    }
    if (rounds) expectResults(await runCase(each, true, { device, chunk: 1 }), await runCase(each, true, { device }), 0)
  })
})
