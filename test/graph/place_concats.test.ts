/** Concats that become parts of one buffer, and the batch norms that are applied again because of it. */
import { describe, expect, test } from 'vitest'
import { batchNorm, concat, conv2d, relu } from '../../src/graph/functions.js'
import type { Graph } from '../../src/graph/graph.js'
import { livePeak } from '../../src/graph/live_peak.js'
import { Parameter } from '../../src/graph/parameter.js'
import { placeConcats } from '../../src/graph/passes/place_concats.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { cifarDenseNet, DenseNet } from '../../src/models/densenet.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import type { TrainingOptions } from '../../src/train/training_plan.js'
import { evaluationDesc, trainingDesc } from './training_desc.js'
import { traced } from './traced.js'

const shape = [2, 4, 4, 6]
const filter = (inputs: number, outputs: number) => new Parameter([outputs, 1, 1, inputs], 'weight')
const vector = (channels: number, role: 'norm' | 'statistic') => new Parameter([channels], role)

function norm(x: Tensor): Tensor {
  const channels = x.shape.at(-1)!
  const [gamma, beta] = [vector(channels, 'norm'), vector(channels, 'norm')]
  const [runningMean, runningVariance] = [vector(channels, 'statistic'), vector(channels, 'statistic')]
  return batchNorm(x, { gamma, beta, runningMean, runningVariance })
}
const layer = (x: Tensor, growth = 3): Tensor => concat([x, conv2d(relu(norm(x)), filter(x.shape.at(-1)!, growth))])

const infer = (body: (inputs: { x: Tensor }) => Tensor) => traced({ x: shape }, body, false)

const partsOf = ({ parts }: Graph, tensors: readonly Tensor[]) =>
  tensors.map(tensor => {
    const part = parts.get(tensor)
    return part && [part.of.shape.at(-1), part.offset, part.pitch]
  })
const concatsOf = ({ nodes }: Graph) => nodes.filter(({ op }) => op === 'concat')

describe('placeConcats', () => {
  test('a chain of concats is one buffer; each but the first writes its new channels only', () => {
    const ys: Tensor[] = []
    const { graph } = infer(({ x }) => {
      for (let i = 0; i < 3; i++) ys.push(layer(ys.at(-1) ?? x))
      return norm(ys.at(-1)!)
    })
    placeConcats(graph)
    expect(partsOf(graph, ys)).toEqual([
      [16, 0, 16],
      [16, 0, 16],
      [16, 0, 16],
    ])
    const concats = concatsOf(graph)
    expect(concats.map(({ reads }) => Object.keys(reads).length)).toEqual([2, 1, 1])
    expect(concats[0]!.writes.y).toBe(ys[0])
    expect(
      partsOf(
        graph,
        concats.map(({ writes }) => writes.y!),
      ).slice(1),
    ).toEqual([
      [16, 9, 16],
      [16, 12, 16],
    ])
    expect(concats[1]!.writes.y!.shape).toEqual([2, 4, 4, 3])
  })

  test('a concat that something else reads, or that leaves the plan, stays a tensor of its own', () => {
    const ys: Tensor[] = []
    const { graph } = infer(({ x }) => {
      for (let i = 0; i < 5; i++) ys.push(layer(ys.at(-1) ?? x))
      return relu(ys.at(-1)!) // takes no pitch
    })
    graph.outputs.set('peeked', ys[1]!)
    placeConcats(graph)
    expect(partsOf(graph, ys)).toEqual([undefined, undefined, [24, 0, 24], [24, 0, 24], undefined])
    // The last reads the buffer and copies it.
    expect(Object.keys(concatsOf(graph).at(-1)!.reads)).toHaveLength(2)
  })

  test('a single concat and one along another axis stay as they are', () => {
    const { graph } = infer(({ x }) => {
      const joined = concat([concat([x, x], 1), x], 1)
      return norm(concat([joined, joined]))
    })
    placeConcats(graph)
    expect(graph.parts.size).toBe(0)
  })
})

const denseNet = (layers: number, growth = 12) => new DenseNet(cifarDenseNet(6 * layers + 4, growth, true))
const images = [4, 16, 16, 3]
const copying = { disabledPasses: ['place-concats'] } as const
const peakOf = (layers: number, options: Partial<TrainingOptions> = {}) =>
  livePeak(trainingDesc(denseNet(layers), [8, 32, 32, 3], options))
const applies = ({ nodes }: PlanDesc) => nodes.filter(({ op }) => op === 'bnApply').length

describe('in a training step of a DenseNet', () => {
  test('memory grows with the new channels only', () => {
    const growth = (options: Partial<TrainingOptions> = {}) => {
      const [a, b, c] = [8, 16, 24].map(layers => peakOf(layers, options)) as [number, number, number]
      return (c - b) / (b - a)
    }
    // The gradients of the filters alone, which are as large as the network, grow faster.
    expect(growth()).toBeLessThan(1.05)
    expect(growth(copying)).toBeGreaterThan(1.4)
    expect(peakOf(24)).toBeLessThan(0.5 * peakOf(24, copying))
  })

  test('the norms of placed concats are applied again, no others', () => {
    // Of each block's layers but the first the norm at the start, and that of each transition.
    const [placed, copied] = [{}, copying].map(options => applies(trainingDesc(denseNet(4), images, options)))
    expect(placed! - copied!).toBe(3 * 3 + 2)
  })

  test('only new channels are copied, in inference too', () => {
    for (const describe of [trainingDesc, evaluationDesc]) {
      const { nodes, tensors } = describe(denseNet(4), images)
      const copied = nodes.filter(({ op }) => op === 'concat').map(({ reads }) => reads.map(read => tensors[read]!.shape.at(-1)))
      expect(copied).toEqual([24, 36, 42].flatMap(channels => [[channels, 12], [12], [12], [12]]))
    }
  })

  test.each([{ checked: true }, copying])('nothing is placed with %o', options => {
    const { tensors } = trainingDesc(denseNet(4), images, options)
    expect(tensors.filter(({ pitch }) => pitch !== 0)).toEqual([])
  })
})
