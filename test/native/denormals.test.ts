/** Denormals are zero to every thread of the CPU backend: processors compute a hundred times as slowly with them. */
import { expect, test } from 'vitest'
import { run } from '../../src/graph/run.js'

const size = 1 << 20 // for all threads
const tiny = { data: new Float32Array(size).fill(1e-39), shape: [size] }
const usual = { data: new Float32Array(size).fill(1e-20), shape: [size] }

test('denormals that are read are zero', async () => {
  const { y } = await run('add', { a: tiny, b: tiny })
  expect(y!.data.every(value => value === 0)).toBe(true)
})

test('and results that would be denormal', async () => {
  const { y } = await run('pointwise', { a: usual, b: usual }, { fn: 'mul', alpha: 0, beta: 0 })
  expect(y!.data.every(value => value === 0)).toBe(true)
})
