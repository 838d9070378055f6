/**
 * What follows a convolution is fused into it right at once: no engine fails the check at its first use, after which the convolution
 * would run alone, or another engine, and give the right numbers all the same.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { run } from '../../src/graph/run.js'
import { cases } from './cases/index.js'
import { makeDraw } from './cases/draw.js'
import { testedDevices } from './helpers.js'

const notes: string[] = []
const note = (warning: Error & { code?: string }) => {
  if (warning.code === 'ERASERELU_ENGINE') notes.push(warning.message)
}
process.on('warning', note)
afterAll(() => process.off('warning', note))

const fused = cases.filter(({ op, make }) => {
  const { inputs, attributes = {} } = make(makeDraw(1, false))
  const extras = inputs.bias ?? inputs.residual ?? inputs.addend
  return (op === 'conv2d' || op === 'conv2dBwdData') && (extras !== undefined || attributes.activation === 'relu')
})

test('there are cases with each of them', () => {
  const operands = new Set(fused.flatMap(({ make }) => Object.keys(make(makeDraw(1, false)).inputs)))
  expect([...operands]).toEqual(expect.arrayContaining(['bias', 'residual', 'addend']))
})

describe.each(testedDevices)('on %s', device => {
  test.each(fused)('$op: $name', async ({ op, make }) => {
    const { inputs, attributes, ...rest } = make(makeDraw(1, false))
    await run(op, inputs, attributes, { ...rest, device })
    // Warnings come after what has been going on.
    await new Promise(resolve => setImmediate(resolve))
    expect(notes.splice(0)).toEqual([])
  })
})
