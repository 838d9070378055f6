import { describe, expect, test } from 'vitest'
import { conv2d, linear, mean, relu, reshape, square } from '../../src/graph/functions.js'
import { Parameter } from '../../src/graph/parameter.js'
import { rootOf, serialise } from '../../src/graph/serialise.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { operandNames, vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import * as nn from '../../src/nn/index.js'
import { ema, sgd } from '../../src/optim/index.js'
import type { PlanDesc, TensorEntry } from '../../src/runtime/plan_desc.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { traced } from './traced.js'
import { evaluationDesc, trainingDesc } from './training_desc.js'

const plain = { device: 'cpu', checked: false, parameters: 'weights', regions: [], wholeStep: new Set<Tensor>() } as const

/** The tensor a node reads or writes under this name. */
function operand({ nodes, tensors }: PlanDesc, op: OpName, side: 'reads' | 'writes', name: string, which = 0): TensorEntry {
  const node = nodes.filter(n => n.op === op)[which]!
  return tensors[node[side][operandNames(vocabulary[op][side]).indexOf(name)]!]!
}

describe('views', () => {
  test('a reshape is no node: it shows the memory of another tensor', () => {
    const { graph, y } = traced({ x: [2, 4, 4, 3] }, ({ x }) => relu(reshape(relu(x), [2, 48])))
    graph.outputs.set('y', y)
    const desc = serialise(graph, { ...plain, layout: new StoreLayout([]) })
    expect(desc.nodes.map(({ op }) => op)).toEqual(['relu', 'relu'])
    const view = desc.tensors[desc.nodes[1]!.reads[0]!]!
    expect(view).toMatchObject({ place: 'view', shape: [2, 48], offset: 0, of: desc.nodes[0]!.writes[0] })
  })

  test('a reshaped parameter lies in the store and counts as a parameter', () => {
    const w = new Parameter([5, 3], 'weight')
    const b = new Parameter([5], 'bias')
    const { graph, y } = traced({ x: [2, 3] }, ({ x }) => linear(x, w, b))
    graph.outputs.set('y', y)
    const desc = serialise(graph, { ...plain, layout: new StoreLayout([b, w]) })
    const filter = operand(desc, 'conv2d', 'reads', 'w')
    expect(filter).toMatchObject({ place: 'view', parameter: true, shape: [5, 1, 1, 3] })
    expect(desc.tensors[filter.of]).toMatchObject({ place: 'store', arena: 'weights', offset: 0, parameter: true })
    expect(operand(desc, 'conv2d', 'reads', 'bias')).toMatchObject({ place: 'store', offset: 15 })
  })
})

describe('a training step', () => {
  const model = new CifarResNet(8)
  const desc = trainingDesc(model, [4, 16, 16, 3])
  const layout = new StoreLayout(model.parameters())

  test('every gradient is written where the flat gradient has its parameter', () => {
    const gradient = desc.tensors.findIndex(({ name }) => name === 'gradient')
    const resolve = (entry: TensorEntry): { of: number; offset: number } => {
      const above = desc.tensors[entry.of]!
      if (above.place !== 'view') return { of: entry.of, offset: entry.offset }
      const { of, offset } = resolve(above)
      return { of, offset: offset + entry.offset }
    }
    const dw = operand(
      desc,
      'conv2dBwdFilter',
      'writes',
      'dw',
      desc.nodes.filter(({ op }) => op === 'conv2dBwdFilter').length - 1,
    )
    expect(resolve(dw)).toEqual({ of: gradient, offset: layout.offsetOf(model.conv1.weight) })
    const parts = desc.tensors.filter(entry => entry.place === 'view' && resolve(entry).of === gradient && entry.offset >= 0)
    const covered = new Set(parts.map(entry => resolve(entry).offset))
    for (const parameter of layout.trained) expect(covered.has(layout.offsetOf(parameter)), parameter.name).toBe(true)
    expect(desc.tensors[gradient]!.shape).toEqual([layout.trainedSize])
  })

  test('the update section comes last and only it writes the store', () => {
    const sections = desc.nodes.map(({ section }) => section)
    expect(sections.lastIndexOf('gradient')).toBeLessThan(sections.indexOf('update'))
    for (const { section, writes } of desc.nodes) {
      const stored = writes.some(tensor => tensor >= 0 && desc.tensors[tensor]!.place === 'store')
      if (stored) expect(section).toBe('update')
    }
    expect(desc.nodes.filter(({ op }) => op === 'bnRunningUpdate')).toHaveLength(1)
  })

  test('the optimizer covers each trained parameter once, in its group', () => {
    const optimizer = sgd({ lr: 0.1, weightDecay: 0.5, normWeightDecay: 0 })
    const { nodes } = trainingDesc(model, [4, 16, 16, 3], { optimizer })
    const { ranges, weightDecay } = nodes.find(({ op }) => op === 'sgdUpdate')!.attributes as {
      ranges: number[]
      weightDecay: number[]
    }
    const groupAt = new Int32Array(layout.trainedSize).fill(-1)
    for (let i = 0; i < ranges.length; i += 3) groupAt.fill(ranges[i + 2]!, ranges[i], ranges[i]! + ranges[i + 1]!)
    for (const parameter of layout.trained) {
      const expected = parameter.role === 'norm' ? 0 : 0.5
      const part = groupAt.subarray(layout.offsetOf(parameter), layout.offsetOf(parameter) + parameter.size)
      expect(new Set(Array.from(part, group => weightDecay[group]))).toEqual(new Set([expected]))
    }
  })

  test('accumulation adds up gradient and metrics in memory that lives as long as the step', () => {
    const accumulated = trainingDesc(model, [4, 16, 16, 3], { accumulate: 3 })
    const sums = accumulated.nodes.filter(({ op }) => op === 'sum')
    expect(sums).toHaveLength(5)
    for (const { writes, reads } of sums) {
      expect(accumulated.tensors[writes[0]!]!.wholeStep).toBe(true)
      expect(reads[1]).toBe(writes[0])
    }
    expect(desc.tensors.some(({ wholeStep }) => wholeStep)).toBe(false)
  })

  test('evaluation reads the moving average where there is one', () => {
    const arenas = (d: PlanDesc) => new Set(d.tensors.filter(({ place }) => place === 'store').map(({ arena }) => arena))
    expect(arenas(evaluationDesc(model, [4, 16, 16, 3]))).toEqual(new Set(['weights']))
    expect(arenas(evaluationDesc(model, [4, 16, 16, 3], { ema: ema(0.9) }))).toEqual(new Set(['ema']))
  })

  test('parameters that are not trainable get no gradient and no update', () => {
    const half = new CifarResNet(8)
    for (const parameter of half.conv1.parameters()) parameter.trainable = false
    const frozen = trainingDesc(half, [4, 16, 16, 3])
    const filters = (d: PlanDesc) => d.nodes.filter(({ op, name }) => op === 'conv2dBwdFilter' && name === 'conv1').length
    expect([filters(desc), filters(frozen)]).toEqual([1, 0])
  })
})

test('a model whose loss needs one parameter only', () => {
  class Scale extends nn.Module {
    weight = nn.parameter([1, 1, 1, 3], 'weight', nn.init.ones)
    forward(x: Tensor): Tensor {
      return conv2d(x, this.weight)
    }
  }
  const desc = trainingDesc(new Scale(), [2, 4, 4, 3], { loss: y => mean(square(y)) })
  expect(desc.outputs.map(({ name }) => name)).toEqual(['loss', 'state'])
})

test('rootOf follows views of views', () => {
  const { y, graph } = traced({ x: [2, 6] }, ({ x }) => reshape(reshape(x, [12]), [3, 4]))
  const views = new Map(graph.nodes.map(node => [node.writes.y!, { of: node.reads.x! }]))
  expect(rootOf(y, views).name).toBe('x')
})
