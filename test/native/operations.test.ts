/** Every operation on every device against the reference: random numbers within a tolerance, small integers bit for bit. */
import { describe, expect, test } from 'vitest'
import { vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import { cases } from './cases/index.js'
import { makeDraw } from './cases/draw.js'
import { expectResults, runCase, testedDevices, toleranceOf } from './helpers.js'

test.each(Object.keys(vocabulary) as OpName[])('%s: every optional operand is there in some case and absent in another', op => {
  const examples = cases.filter(each => each.op === op).map(each => each.make(makeDraw(1, false)))
  expect(examples.length).toBeGreaterThan(0)
  const { reads, writes } = vocabulary[op]
  const uses = {
    inputs: reads,
    outputs: writes
      .split(' ')
      .filter(name => !reads.split(' ').includes(name))
      .join(' '),
  }
  for (const [side, operands] of Object.entries(uses)) {
    for (const name of operands.split(' ').filter(operand => operand.endsWith('?'))) {
      const there = examples.map(example => name.slice(0, -1) in (example[side as keyof typeof uses] ?? {}))
      expect(new Set(there), name).toEqual(new Set([true, false]))
    }
  }
})

describe.each(testedDevices)('on %s', device => {
  test.each(cases)('$op: $name', async each => {
    for (const exact of [false, true]) {
      const expected = await runCase(each, exact, { device: 'reference' })
      const actual = await runCase(each, exact, { device })
      expectResults(actual, expected, exact && each.exact !== false ? 0 : toleranceOf(each))
    }
  })
})
