/** From a matrix to its arms and runs. */
import { expect, it } from 'vitest'
import { armsOf, armTitle, runsOf } from '../../src/study/matrix.js'

const ids = (...parts: Parameters<typeof armsOf>[0]) => armsOf(parts).map(({ id }) => id)

it('has one baseline a model, whatever the locations', () => {
  expect(ids({ models: ['a', 'b'], locations: ['first', 'last'], proportions: [0, 0.5, 1] })).toEqual([
    'a-baseline', 'a-first-50', 'a-last-50', 'a-first-100', 'a-last-100',
    'b-baseline', 'b-first-50', 'b-last-50', 'b-first-100', 'b-last-100',
  ]) // prettier-ignore
})

it('joins its parts: what two of them name is trained once, and the baseline comes first', () => {
  const last = { models: ['a', 'b'], locations: ['last' as const], proportions: [1, 0] }
  const places = { models: ['a'], locations: [0, 'last' as const], proportions: [1 / 3, 1] }
  expect(ids(last, places)).toEqual([
    'a-baseline',
    'a-last-100',
    'a-0-33.333',
    'a-last-33.333',
    'a-0-100',
    'b-baseline',
    'b-last-100',
  ])
})

it('runs every arm with the first seed before the second', () => {
  const arms = armsOf([{ models: ['a'], locations: ['last'], proportions: [0, 1] }])
  const names = runsOf(arms, [3, 1]).map(({ name }) => name)
  expect(names).toEqual(['a-baseline-seed3', 'a-last-100-seed3', 'a-baseline-seed1', 'a-last-100-seed1'])
  expect(arms.map(armTitle)).toEqual(['as published', 'last ReLU erased, 100 %'])
})
