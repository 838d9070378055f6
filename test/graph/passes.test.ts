/** Lowering, the addend of a data gradient, gradients with memory of their own, dead code. */
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../src/graph/autodiff.js'
import { add, batchNorm, conv2d, mean, mul, relu, reshape, square, sub, sum } from '../../src/graph/functions.js'
import { present, type Graph } from '../../src/graph/graph.js'
import { Parameter } from '../../src/graph/parameter.js'
import { removeDeadCode } from '../../src/graph/passes/dead_code.js'
import { fuse } from '../../src/graph/passes/fuse.js'
import { fuseAddend } from '../../src/graph/passes/fuse_addend.js'
import { lower } from '../../src/graph/passes/lower.js'
import { ownGradients } from '../../src/graph/passes/own_gradients.js'
import { f32, type Tensor } from '../../src/graph/tensor.js'
import * as nn from '../../src/nn/index.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { line, ops, traced } from './traced.js'

const shape = [2, 8, 8, 4]
const weight = (...dims: number[]) => new Parameter(dims, 'weight')
const filters = [weight(4, 3, 3, 4), weight(4, 3, 3, 4)]
const conv = (x: Tensor, i = 0) => conv2d(x, filters[i]!, { padding: 1 })

/** Every tensor that is read is written before, or comes from outside. */
function expectComplete({ nodes, sources, parts }: Graph): void {
  const ready = new Set<Tensor>(sources.keys())
  for (const node of nodes) {
    for (const tensor of present(node.reads))
      expect(ready.has(tensor), `${node.name} ${node.op} reads ${tensor.toString()}`).toBe(true)
    for (const tensor of present(node.writes)) ready.add(tensor).add(parts.get(tensor)?.of ?? tensor)
  }
}

describe('lower', () => {
  const bn = new nn.BatchNorm2d(4)
  const block = () =>
    traced({ x: shape }, ({ x }) => {
      bn.assignNames()
      return relu(add(bn(conv(x)), x))
    })

  const layout = new StoreLayout(bn.parameters())
  const update = (graph: Graph) => ({ state: graph.source(f32([16]), 'state', { kind: 'arena', arena: 'state' }), layout })

  test('batchNorm becomes statistics and application, with residual and activation', () => {
    const { graph } = block()
    fuse(graph, new Set())
    lower(graph, update(graph))
    expect(graph.nodes.map(line).slice(0, 3)).toEqual(['conv2d identity', 'bnStats', 'bnApply relu +residual'])
    const [, stats, apply] = graph.nodes
    expect(apply!.reads).toMatchObject({ mean: stats!.writes.mean, invstd: stats!.writes.invstd })
  })

  test('in training the running statistics are updated once, in the update section', () => {
    const { graph } = block()
    lower(graph, update(graph))
    const updates = graph.nodes.filter(({ section }) => section === 'update')
    expect(ops(updates)).toEqual(['bnRunningUpdate'])
    const [meanAt, varianceAt] = [layout.offsetOf(bn.running_mean), layout.offsetOf(bn.running_var)]
    expect(updates[0]!.attributes).toEqual({ ranges: [0, meanAt, varianceAt, 4], momentum: [0.1], count: [2 * 8 * 8] })
    expect(updates[0]!.writes.running).toBe(updates[0]!.reads.running)
    const { mean, variance } = graph.nodes.find(({ op }) => op === 'bnStats')!.writes
    const of = updates[0]!.reads.statistics
    expect([mean, variance].map(tensor => graph.parts.get(tensor!))).toEqual([
      { of, offset: 0 },
      { of, offset: 4 },
    ])
    expectComplete(graph)
  })

  test('one node updates the statistics of all layers; a layer that is used twice is updated twice, one after the other', () => {
    const other = new nn.BatchNorm2d(20, { momentum: 0.5 })
    const { graph } = traced({ x: shape, z: [3, 20] }, ({ x, z }) => {
      bn.assignNames()
      other.assignNames()
      return add(reshape(mean(bn(relu(bn(x)))), [1]), reshape(mean(other(z)), [1]))
    })
    const both = new StoreLayout([...bn.parameters(), ...other.parameters()])
    lower(graph, { ...update(graph), layout: both })
    const updates = graph.nodes.filter(({ section }) => section === 'update')
    const at = (layer: nn.BatchNorm2d) => [both.offsetOf(layer.running_mean), both.offsetOf(layer.running_var), layer.channels]
    expect(updates.map(({ attributes }) => attributes)).toEqual([
      { ranges: [0, ...at(bn), 16, ...at(other)], momentum: [0.1, 0.5], count: [2 * 8 * 8, 3] },
      { ranges: [0, ...at(bn)], momentum: [0.1], count: [2 * 8 * 8] },
    ])
  })

  test('statistics that only the update reads are kept', () => {
    const { graph } = block()
    lower(graph, update(graph))
    graph.nodes.splice(
      graph.nodes.findIndex(({ op }) => op === 'bnApply'),
      1,
    )
    removeDeadCode(graph, new Set())
    expect(ops(graph.nodes)).toEqual(['conv2d', 'bnStats', 'bnRunningUpdate'])
  })

  test('frozen batch norm has no statistics, also in training', () => {
    const frozen = new nn.BatchNorm2d(4, { frozen: true })
    expect(ops(traced({ x: shape }, ({ x }) => frozen(x)).graph.nodes)).toEqual(['batchNormInfer'])
  })

  test('running statistics that no step could update are refused, unless frozen', () => {
    const build = (frozen: boolean) =>
      traced({ x: shape, runningMean: [4], runningVariance: [4] }, ({ x, runningMean, runningVariance }) =>
        batchNorm(x, { gamma: weight(4), beta: weight(4), runningMean, runningVariance }, { frozen }),
      )
    expect(() => build(false)).toThrow(/batchNorm: in training runningMean must be a Parameter/)
    expect(ops(build(true).graph.nodes)).toEqual(['batchNormInfer'])
  })
})

describe('fuseAddend', () => {
  const gradientGraph = (body: (x: Tensor) => Tensor, trained: Parameter[]) => {
    const { graph, y } = traced({ x: shape }, ({ x }) => mean(square(body(x))))
    differentiate(graph, y, trained)
    fuseAddend(graph)
    expectComplete(graph)
    const written = new Set(graph.nodes.flatMap(node => present(node.writes)))
    for (const gradient of graph.gradients.values()) expect(written.has(gradient)).toBe(true)
    return graph
  }

  test("the data gradient of a block's first convolution adds what comes over the shortcut", () => {
    const graph = gradientGraph(x => {
      const h = conv(x)
      return add(conv(relu(h), 1), h)
    }, filters)
    // h is read by relu and by the shortcut, so the meeting point is reluBwd + shortcut: that add stays.
    expect(ops(graph.nodes).filter(op => op === 'add')).toHaveLength(2)
    const direct = gradientGraph(x => {
      const h = relu(conv(x))
      return add(conv(h, 1), h)
    }, filters)
    expect(ops(direct.nodes).filter(op => op === 'add')).toHaveLength(1)
    expect(direct.nodes.filter(({ op, reads }) => op === 'conv2dBwdData' && reads.addend)).toHaveLength(1)
  })

  test("a data gradient that is itself a parameter's gradient stays", () => {
    const [p, q] = [weight(...shape), weight(...shape)]
    const graph = gradientGraph(() => add(conv(add(p, q)), mul(q, 3)), [p, q])
    expect(graph.nodes.some(({ op, reads }) => op === 'conv2dBwdData' && reads.addend)).toBe(false)
  })
})

test('ownGradients copies gradients that share a tensor', () => {
  const [p, q, r] = [weight(2, 4), weight(2, 4), weight(2, 4)]
  const { graph, y } = traced({ x: [2, 4] }, ({ x }) => sum(mul(add(add(p, q), r), x)))
  differentiate(graph, y, [p, q, r])
  expect(new Set(graph.gradients.values()).size).toBe(1)
  ownGradients(graph)
  expect(new Set(graph.gradients.values()).size).toBe(3)
  expect(ops(graph.nodes).filter(op => op === 'cast')).toHaveLength(2)
})

describe('removeDeadCode', () => {
  test('what nobody reads goes, with what only it reads', () => {
    const { graph, y } = traced({ x: shape }, ({ x }) => {
      square(sub(x, 1))
      return relu(x)
    })
    removeDeadCode(graph, new Set([y]))
    expect(ops(graph.nodes)).toEqual(['relu'])
  })

  test('the gradient of the images is not computed', () => {
    const { graph, y } = traced({ x: shape }, ({ x }) => mean(square(conv(x))))
    differentiate(graph, y, filters.slice(0, 1))
    expect(ops(graph.nodes)).not.toContain('conv2dBwdData')
  })

  test('a parameter that the loss does not need gets a gradient of zeros', () => {
    const { graph, y } = traced({ x: shape }, ({ x }) => mean(conv(x)))
    differentiate(graph, y, filters)
    expect(graph.nodes.at(-1)).toMatchObject({ op: 'fill', attributes: { value: 0 } })
    expect(graph.gradients.get(filters[1]!)!.shape).toEqual(filters[1]!.shape)
  })
})

test('the loss must be one f32 number', () => {
  const { graph, y } = traced({ x: shape }, ({ x }) => conv(x))
  expect(() => differentiate(graph, y, filters)).toThrow(
    /loss must be one f32 number, got \[2, 8, 8, 4\] f32.*mean\(\) or sum\(\)/,
  )
})
