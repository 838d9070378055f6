/** Every gradient rule against central differences, and what differences cannot show: ties, and operations without gradient. */
import { expect, test } from 'vitest'
import { apply, max, maximum, mul, relu, sum } from '../../src/graph/functions.js'
import { Parameter } from '../../src/graph/parameter.js'
import { rules } from '../../src/graph/rules/index.js'
import { binaryFunctions, unaryFunctions } from '../../src/graph/rules/pointwise.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import { gradientsOf } from '../golden/gradients_of.js'
import { gradientCases } from './gradient_cases.js'
import { checkGradients } from './gradient_check.js'

test.each(gradientCases)('$name', checkGradients)

test('every operation and every function with a gradient is differentiated', () => {
  const operations = new Set<string>()
  const functions = new Set<unknown>()
  for (const { parameters, statistics = {}, constants = {}, build } of gradientCases) {
    const trace = new Trace(true)
    const parametersOf = Object.fromEntries(
      Object.entries({ ...parameters, ...statistics }).map(([name, { shape }]) => [name, new Parameter(shape, 'weight')]),
    )
    const types = Object.entries(constants).map(([name, { shape }]) => [name, { shape, dtype: 'f32' }] as const)
    withTrace(trace, () => build(parametersOf, Object.fromEntries(types.map(([name, type]) => [name, trace.input(name, type)]))))
    for (const node of trace.graph.nodes) {
      operations.add(node.op)
      if (node.op === 'pointwise') functions.add(node.attributes.fn)
    }
  }
  const differentiable = Object.entries(rules).flatMap(([op, rule]) => (rule.gradient ? [op] : []))
  expect([...operations].sort()).toEqual(differentiable.sort())
  expect([...unaryFunctions, ...binaryFunctions].filter(fn => !functions.has(fn))).toEqual(['eq', 'clampGrad'])
})

async function gradientAt(values: number[], f: (x: Parameter) => Tensor): Promise<number[]> {
  const x = new Parameter([values.length], 'weight')
  x.name = 'x'
  x.data.set(values)
  const result = await gradientsOf('reference', [x], {}, () => ({ loss: sum(f(x)), outputs: {} }))
  return [...result['gradient/x']!.data]
}

test('ties share the gradient, and relu has none at zero', async () => {
  expect(await gradientAt([1, 3, 3, 2], max)).toEqual([0, 0.5, 0.5, 0])
  expect(await gradientAt([1, -2], x => maximum(x, mul(x, 1)))).toEqual([1, 1])
  expect(await gradientAt([-1, 0, 1], relu)).toEqual([0, 0, 1])
})

test('comparisons pass no gradient', async () => {
  const greater = (x: Parameter) => apply('pointwise', { a: x, b: mul(x, 2) }, { fn: 'gt', alpha: 0, beta: 0 }).y!
  expect(await gradientAt([1, -1], greater)).toEqual([0, 0])
})
