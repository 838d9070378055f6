/** What arithmetic on labels, and a number in the first place, are answered with: losses of the caller's own meet both. */
import { expect, test } from 'vitest'
import { mean, mul, reshape, sub } from '../../src/graph/functions.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'

const mistakes: [name: string, loss: (scores: Tensor, labels: Tensor) => Tensor, message: RegExp][] = [
  ['the mean of labels', (_, labels) => mean(labels), /\(reduce\): x must be f32, got .* i32; labels become f32 with oneHot/],
  ['scores times labels', (scores, labels) => mul(scores, reshape(labels, [-1, 1])), /\(pointwise\): b must be f32, got .* i32; labels/],
  ['1 - scores', scores => sub(1 as unknown as Tensor, scores), /a must be a tensor, got 1; a number can only be the second .* affine/],
] // prettier-ignore

test.each(mistakes)('%s', (_, loss, message) => {
  const trace = new Trace(true)
  const scores = trace.input('scores', { dtype: 'f32', shape: [4, 3] })
  const labels = trace.input('labels', { dtype: 'i32', shape: [4] })
  expect(() => withTrace(trace, () => loss(scores, labels))).toThrow(message)
})
