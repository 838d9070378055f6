import { describe, expect, test } from 'vitest'
import type { Node } from '../../src/graph/graph.js'
import { f32, type Shape } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import * as nn from '../../src/nn/index.js'

/** The nodes of one layer on an input of this shape, and the shape of its result. */
function run(layer: nn.Module, input: Shape, training = false): { nodes: Node[]; shape: Shape } {
  const trace = new Trace(training)
  const y = withTrace(trace, () => layer(trace.input('x', f32(input))))
  return { nodes: trace.graph.nodes, shape: y.shape }
}

describe('shapes', () => {
  test.each<[string, nn.Module, Shape, Shape]>([
    ['Conv2d', new nn.Conv2d(3, 8, 3), [2, 8, 8, 3], [2, 6, 6, 8]],
    [
      'Conv2d with everything',
      new nn.Conv2d(4, 8, [3, 5], { stride: [2, 1], padding: 2, groups: 2, dilation: [2, 1] }),
      [2, 8, 8, 4],
      [2, 4, 8, 8],
    ],
    ['BatchNorm2d', new nn.BatchNorm2d(8), [2, 4, 4, 8], [2, 4, 4, 8]],
    ['Linear', new nn.Linear(8, 5), [2, 8], [2, 5]],
    ['MaxPool2d', new nn.MaxPool2d(3, { stride: 2, padding: 1 }), [2, 8, 8, 4], [2, 4, 4, 4]],
    ['AvgPool2d', new nn.AvgPool2d(2), [2, 8, 8, 4], [2, 4, 4, 4]],
    ['GlobalAvgPool', new nn.GlobalAvgPool(), [2, 8, 8, 4], [2, 4]],
    ['Flatten', new nn.Flatten(), [2, 3, 3, 4], [2, 36]],
    ['ShortcutA', new nn.ShortcutA(8, 2), [2, 8, 8, 4], [2, 4, 4, 8]],
    ['Sequential', new nn.Sequential(new nn.Flatten(), new nn.Linear(4, 2)), [2, 2, 2, 1], [2, 2]],
  ])('%s', (_, layer, input, output) => {
    expect(run(layer, input).shape).toEqual(output)
  })
})

test('parameters have the shapes and names of the vocabulary and of PyTorch', () => {
  const shapes = (module: nn.Module) =>
    Object.fromEntries(Array.from(module.namedParameters(), ([name, { shape }]) => [name, shape]))
  expect(shapes(new nn.Conv2d(4, 8, [3, 5], { groups: 2 }))).toEqual({ weight: [8, 3, 5, 2], bias: [8] })
  expect(shapes(new nn.Linear(4, 2, { bias: false }))).toEqual({ weight: [2, 4] })
  expect(shapes(new nn.BatchNorm2d(3))).toEqual({ weight: [3], bias: [3], running_mean: [3], running_var: [3] })
})

test('batch norm uses the batch in training, and the running statistics otherwise or when frozen', () => {
  const ops = (layer: nn.Module, training: boolean) => run(layer, [2, 4, 4, 3], training).nodes.map(({ op }) => op)
  expect(ops(new nn.BatchNorm2d(3), true)).toEqual(['batchNorm'])
  expect(ops(new nn.BatchNorm2d(3), false)).toEqual(['batchNormInfer'])
  expect(ops(new nn.BatchNorm2d(3, { frozen: true }), true)).toEqual(['batchNormInfer'])
  expect(run(new nn.BatchNorm2d(3, { eps: 1e-3, momentum: 0.01 }), [2, 4, 4, 3], true).nodes[0]?.attributes).toMatchObject({
    epsilon: 1e-3,
    momentum: 0.01,
  })
})

test('an erased ReLU, Identity, and Dropout outside training are no nodes', () => {
  const relu = new nn.ReLU()
  expect(run(relu, [2, 4]).nodes).toHaveLength(1)
  relu.erased = true
  for (const layer of [relu, new nn.Identity(), new nn.Dropout(0.3)]) expect(run(layer, [2, 4]).nodes).toEqual([])
  expect(run(new nn.Dropout(0.3), [2, 4], true).nodes[0]?.attributes).toEqual({ p: 0.3, opId: 0 })
})

test('a Sequential is indexed and iterated', () => {
  const parts = [new nn.Conv2d(3, 4, 1), new nn.ReLU()]
  const sequential = new nn.Sequential(...parts)
  expect(sequential.length).toBe(2)
  expect(sequential[1]).toBe(parts[1])
  expect([...sequential]).toEqual(parts)
  expect([...sequential.stateDict().keys()]).toEqual(['0.weight', '0.bias'])
})

test.each<[() => unknown, RegExp]>([
  [() => new nn.Conv2d(3.5, 4, 1), /^Conv2d: inChannels must be an integer of at least 1, got 3.5$/],
  [() => new nn.Conv2d(3, 4, [3, 0]), /kernel width must be an integer/],
  [() => new nn.Conv2d(3, 4, 1, { groups: 2 }), /3 input and 4 output channels are not divisible by 2 groups/],
  [() => new nn.Conv2d(3, 4, 1, { strides: 2 } as object), /unknown option 'strides'. Did you mean 'stride'\?/],
  [() => new nn.BatchNorm2d(0), /channels must be an integer of at least 1/],
  [() => new nn.BatchNorm2d(3, { momentum: 2 }), /momentum must be a number in \[0, 1\], got 2/],
  [() => new nn.Dropout(1), /p must be a number in \[0, 1\), got 1/],
  [() => run(new nn.Conv2d(3, 4, 1, { stride: 0 }), [2, 4, 4, 3]), /stride must be an integer of at least 1/],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
})
