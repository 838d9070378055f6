import { describe, expect, test } from 'vitest'
import { StoreLayout, type Entry } from '../../src/runtime/store_layout.js'

const entry = (name: string, size: number, role: Entry['role'], trainable = role !== 'statistic'): Entry => ({
  name,
  size,
  role,
  trainable,
})
const entries = [
  entry('conv.weight', 27, 'weight'),
  entry('bn.gamma', 3, 'norm'),
  entry('bn.mean', 3, 'statistic'),
  entry('frozen.weight', 8, 'weight', false),
  entry('frozen.bias', 2, 'bias', false),
  entry('fc.weight', 16, 'weight'),
  entry('fc.bias', 2, 'bias'),
]
const layout = new StoreLayout(entries)

describe('the order of the arena', () => {
  test('trained before frozen, weights before the rest, sizes that are multiples of 8 first', () => {
    expect(layout.entries.map(({ name }) => name)).toEqual([
      'fc.weight',
      'conv.weight',
      'bn.gamma',
      'fc.bias',
      'frozen.weight',
      'bn.mean',
      'frozen.bias',
    ])
    expect([layout.trainedSize, layout.size]).toEqual([16 + 27 + 3 + 2, 16 + 27 + 3 + 2 + 8 + 3 + 2])
  })

  test('offsets leave no gap', () => {
    let at = 0
    for (const each of layout.entries) {
      expect(layout.offsetOf(each)).toBe(at)
      at += each.size
    }
  })
})

describe('runs', () => {
  test('are the longest stretches of one key', () => {
    const runs = layout.runs(({ role }) => (role === 'statistic' ? undefined : role === 'weight'))
    expect(runs.map(({ key, offset, size }) => [key, offset, size])).toEqual([
      [true, 0, 43],
      [false, 43, 5],
      [true, 48, 8],
      [false, 59, 2],
    ])
    expect(runs[0]!.parameters.map(({ name }) => name)).toEqual(['fc.weight', 'conv.weight'])
  })
})
