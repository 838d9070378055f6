/** The vocabulary is written down three times, in C++, in TypeScript and in docs/vocabulary.md: all three agree. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pitchedOperands } from '../../src/graph/pitched_operands.js'
import { rules } from '../../src/graph/rules/index.js'
import { typedOperands } from '../../src/graph/typed_operands.js'
import { operandNames, vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import { addon } from '../../src/runtime/addon.js'
import { packageRoot } from '../../src/runtime/package_root.js'

const page = await readFile(join(packageRoot(), 'docs', 'vocabulary.md'), 'utf8')

test('TypeScript and C++ list the same operations, operands and attributes, in the same order', () => {
  const rows = (Object.entries(vocabulary) as [OpName, (typeof vocabulary)[OpName]][]).map(([name, spec]) => ({
    name,
    ...spec,
    typed: typedOperands[name],
    pitched: pitchedOperands(name),
    pitchedOnCpu: pitchedOperands(name, 'cpu'),
  }))
  expect(addon().vocabulary()).toEqual(rows)
})

test.each(Object.entries(vocabulary))('%s has a rule with a line of documentation', (op, spec) => {
  expect(rules[op as keyof typeof rules].doc).toMatch(/\S/)
  expect(operandNames(spec.writes).length).toBeGreaterThan(0)
})

test.each(Object.entries(vocabulary))('%s is explained in docs/vocabulary.md', (op, { reads, writes, attributes }) => {
  expect(page).toMatch(new RegExp(`(^|[| ;])${op}: `, 'm'))
  for (const name of [reads, writes, attributes].flatMap(operandNames)) expect(page).toMatch(new RegExp(`\\b${name}\\b`))
})
