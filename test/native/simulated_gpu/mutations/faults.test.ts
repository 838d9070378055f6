/** The faults of `npm run test:mutations` can be made: each names a text that is in its file exactly once. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { faults } from './faults/index.mjs'

test('there are at least 30, with different names', () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length)
  expect(faults.length).toBeGreaterThanOrEqual(30)
})

test.each(faults)('$name', ({ file, find, replace, tests }) => {
  expect(readFileSync(join('native/cuda', file), 'utf8').split(find)).toHaveLength(2)
  expect(replace).not.toBe(find)
  expect(tests.length).toBeGreaterThan(0)
})
