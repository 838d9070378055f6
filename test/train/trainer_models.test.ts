/** A shallow network of each family trains a step, as published and erased. */
import { expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import type { Parameter } from '../../src/graph/parameter.js'
import * as models from '../../src/models/index.js'
import { shallow } from '../models/shallow.js'
import { source, train, weightsOf } from './training.js'

test.each(shallow)('$name, as published and erased', async ({ name, options, size, erase = {} }) => {
  const model = models.create(name, { ...options, numClasses: 4, seed: 3 })
  const data = source(8, [size, size, 3])
  const losses: number[] = []
  const before = weightsOf(model)
  for (const rule of [{ proportion: 0 }, erase]) {
    for (const [at, parameter] of offsets(model)) parameter.data.set(before.subarray(at, at + parameter.size))
    eraseReLU(model, rule)
    const { steps, weights } = await train(model, { data })
    expect(steps).toHaveLength(1)
    expect(steps[0]!.loss).toBeGreaterThan(0)
    expect(steps[0]!.loss).toBeLessThan(100)
    expect(steps[0]!.gradientNorm).toBeGreaterThan(0)
    expect(weights.every(Number.isFinite)).toBe(true)
    // Every filter, scale, bias and running statistic has moved.
    for (const [at, { name: parameter, size: count }] of offsets(model)) {
      const moved = weights.subarray(at, at + count).some((value, i) => value !== before[at + i])
      expect(moved, parameter).toBe(true)
    }
    losses.push(steps[0]!.loss)
  }
  expect(losses[1]).not.toBe(losses[0])
})

/** Each parameter with where it starts in `weightsOf`. */
function offsets(model: models.Classifier): [number, Parameter][] {
  let at = 0
  return model.parameters().map(parameter => [(at += parameter.size) - parameter.size, parameter])
}
