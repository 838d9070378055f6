import { describe, expect, test } from 'vitest'
import { add, conv2d, type Conv2dOptions } from '../../src/graph/functions.js'
import { Parameter } from '../../src/graph/parameter.js'
import { foldBatchNorm } from '../../src/graph/passes/fold_batch_norm.js'
import { fuse } from '../../src/graph/passes/fuse.js'
import { compile, inferencePlan } from '../../src/graph/session.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { eraseReLU } from '../../src/erase.js'
import * as models from '../../src/models/index.js'
import { BatchNorm2d, type Module } from '../../src/nn/index.js'
import { networks } from '../golden/families.js'
import { line, ops, traced } from './traced.js'

/** Values of all sizes and both signs, never 0. */
const fill = (parameter: Parameter, seed: number) => {
  parameter.data.forEach((_, i) => (parameter.data[i] = Math.sin(i * 1.7 + seed) + 0.01))
  return parameter
}

/** A batch norm whose statistics, scale and shift are those of no channel of another one. */
function norm(channels: number): BatchNorm2d {
  const bn = new BatchNorm2d(channels)
  for (const [i, parameter] of [bn.weight, bn.bias, bn.running_mean].entries()) fill(parameter, i)
  bn.running_var.data.forEach((_, i) => (bn.running_var.data[i] = 0.1 + i))
  return bn
}

const shape = [2, 8, 8, 4]
const filter = fill(new Parameter([6, 3, 3, 4], 'weight'), 3)
const conv = (x: Tensor, options: Conv2dOptions = {}): Tensor => conv2d(x, filter, { padding: 1, ...options })

function folded(body: (x: Tensor) => Tensor, kept: (body: Tensor[]) => Tensor[] = () => []) {
  const { graph } = traced({ x: shape }, ({ x }) => body(x), false)
  const tensors = graph.nodes.map(({ writes }) => writes.y!)
  foldBatchNorm(graph, new Set(kept(tensors)))
  return graph
}

describe('which batch norms are folded', () => {
  test('one behind a convolution', () => {
    const { nodes } = folded(x => norm(6)(conv(x)))
    expect(ops(nodes)).toEqual(['conv2d'])
    expect(nodes[0]!.reads.bias).toBeDefined()
  })

  test.each<[string, (x: Tensor) => Tensor, string[]]>([
    ['none behind an addition', x => norm(6)(add(conv(x), conv(x))), ['conv2d', 'conv2d', 'add', 'batchNormInfer']],
    ['none before a convolution', x => conv(norm(4)(x)), ['batchNormInfer', 'conv2d']],
    ['none behind a ReLU', x => norm(6)(conv(x, { activation: 'relu' })), ['conv2d', 'batchNormInfer']],
    [
      'none behind a residual',
      x => norm(4)(conv2d(x, new Parameter([4, 1, 1, 4], 'weight'), { residual: x })),
      ['conv2d', 'batchNormInfer'],
    ],
    [
      'none whose convolution is also read elsewhere',
      x => {
        const y = conv(x)
        return add(norm(6)(y), y)
      },
      ['conv2d', 'batchNormInfer', 'add'],
    ],
  ])('%s', (_, body, expected) => {
    expect(ops(folded(body).nodes)).toEqual(expected)
  })

  test('none whose convolution is peeked', () => {
    const graph = folded(
      x => norm(6)(conv(x)),
      ([y]) => [y!],
    )
    expect(ops(graph.nodes)).toEqual(['conv2d', 'batchNormInfer'])
  })

  test('the model keeps its parameters', () => {
    const before = [...filter.data]
    folded(x => norm(6)(conv(x)))
    expect([...filter.data]).toEqual(before)
  })

  test('a residual block becomes convolutions alone, and an erased ReLU the identity', () => {
    const model = models.create('resnet20', { shortcut: 'B' })
    const block = () => {
      const { graph } = traced({ x: [2, 32, 32, 3] }, ({ x }) => model(x), false)
      foldBatchNorm(graph, new Set())
      fuse(graph, new Set())
      return graph.nodes.filter(({ name }) => name.startsWith('layer2.0')).map(line)
    }
    const start = ['layer2.0.conv1 conv2d relu', 'layer2.0.downsample.0 conv2d identity']
    expect(block()).toEqual([...start, 'layer2.0.conv2 conv2d relu +residual'])
    eraseReLU(model)
    expect(block()).toEqual([...start, 'layer2.0.conv2 conv2d identity +residual'])
  })
})

describe('the numbers', () => {
  /** Of a small model of one convolution and one batch norm, as compiled and as written. */
  async function both(name: string, model: Module, side: number) {
    const inputs = { x: { shape: [2, side, side, 3] } }
    const x = new Float32Array(2 * side * side * 3).map((_, i) => Math.sin(i * 0.37))
    using compiled = await compile(model, { inputs })
    using written = await compile(model, { inputs, checked: true })
    const [a, b] = [(await compiled.run({ x })).output!.data, (await written.run({ x })).output!.data]
    const largest = Math.max(...Array.from(b, Math.abs))
    expect(largest, name).toBeGreaterThan(0)
    return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!))) / largest
  }

  // f32 rounds each of some twenty layers by 2^-24 of sums of at most a few thousand products.
  test.each(Object.keys(networks))('%s infers the same as without folding', async name => {
    const model = networks[name]!()
    for (const { role, data } of model.parameters())
      if (role === 'norm') data.forEach((_, i) => (data[i] = 0.7 + 0.3 * Math.sin(i)))
    for (const [path, { data }] of model.namedParameters()) {
      if (path.endsWith('running_mean')) data.forEach((_, i) => (data[i] = 0.2 * Math.cos(i)))
      if (path.endsWith('running_var')) data.forEach((_, i) => (data[i] = 0.8 + 0.1 * Math.sin(i)))
    }
    expect(await both(name, model, 32)).toBeLessThan(2e-5)
  })

  test('a plan has no batch norm behind a convolution left', () => {
    const { desc } = inferencePlan(networks.resnet11_bottleneck!(), { inputs: { x: { shape: [1, 32, 32, 3] } } })
    expect(desc.nodes.some(({ op }) => op === 'batchNormInfer')).toBe(false)
  })
})

test('folds when the values are read: a plan that is only looked at computes none', () => {
  const filters = new Parameter([6, 3, 3, 4], 'weight')
  let reads = 0
  filters.fillLater(values => {
    reads++
    values.fill(3)
  })
  const bn = norm(6)
  const [node] = folded(x => bn(conv2d(x, filters, { padding: 1 }))).nodes
  expect(node!.op).toBe('conv2d')
  expect(reads).toBe(0)
  const { graph } = traced({ x: shape }, ({ x }) => bn(conv2d(x, filters, { padding: 1 })), false)
  foldBatchNorm(graph, new Set())
  const [weight, bias] = ['w', 'bias'].map(operand => graph.parameterOf(graph.nodes[0]!.reads[operand]!)!.data)
  expect(reads).toBe(1)
  const scale = (k: number) => bn.weight.data[k]! / Math.sqrt(bn.running_var.data[k]! + 1e-5)
  expect(weight).toEqual(Float32Array.from({ length: 6 * 36 }, (_, i) => 3 * scale(Math.floor(i / 36))))
  expect(bias).toEqual(Float32Array.from({ length: 6 }, (_, k) => bn.bias.data[k]! - bn.running_mean.data[k]! * scale(k)))
})
