/** Gradients of concats that become the first channels of one buffer. */
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../src/graph/autodiff.js'
import { batchNorm, concat, conv2d, mean, relu, slice } from '../../src/graph/functions.js'
import type { Graph, Node } from '../../src/graph/graph.js'
import { livePeak } from '../../src/graph/live_peak.js'
import { Parameter } from '../../src/graph/parameter.js'
import { placeGradients } from '../../src/graph/passes/place_gradients.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { cifarDenseNet, DenseNet } from '../../src/models/densenet.js'
import { trainingDesc } from './training_desc.js'
import { traced } from './traced.js'

const shape = [2, 4, 4, 6]

/** The gradient of a network that begins with a convolution, so that gradients go as far as that. */
function gradientOf(body: (x: Tensor) => Tensor): Graph {
  const parameters: Parameter[] = []
  const parameter = (dims: number[], role: 'weight' | 'norm') => {
    const made = new Parameter(dims, role)
    parameters.push(made)
    return made
  }
  current = parameter
  const { graph, y } = traced({ x: shape }, ({ x }) => mean(body(conv2d(x, parameter([6, 1, 1, 6], 'weight')))))
  differentiate(graph, y, parameters)
  return graph
}
let current: (dims: number[], role: 'weight' | 'norm') => Parameter

function norm(x: Tensor): Tensor {
  const channels = x.shape.at(-1)!
  const statistic = () => new Parameter([channels], 'statistic')
  const [gamma, beta] = [current([channels], 'norm'), current([channels], 'norm')]
  return batchNorm(x, { gamma, beta, runningMean: statistic(), runningVariance: statistic() })
}
const layer = (x: Tensor): Tensor => concat([x, conv2d(relu(norm(x)), current([3, 1, 1, x.shape.at(-1)!], 'weight'))])
const block = (x: Tensor, layers: number): Tensor => (layers === 0 ? x : block(layer(x), layers - 1))

const slicesOf = ({ nodes }: Graph) => nodes.filter(({ op }) => op === 'slice')
const channels = (nodes: readonly Node[]) => nodes.map(({ writes }) => writes.y!.shape.at(-1))

describe('placeGradients', () => {
  test('the sum for the concat before the last is the buffer of all others; of these only the new channels are copied', () => {
    const graph = gradientOf(x => norm(block(x, 4)))
    const before = slicesOf(graph)
    expect(channels(before)).toEqual([15, 3, 12, 3, 9, 3, 6, 3])
    const sums = graph.nodes.filter(({ op, reads }) => op === 'add' && before.some(({ writes }) => writes.y === reads.a))
    const found = placeGradients(graph, 'cpu')
    expect(channels(slicesOf(graph))).toEqual([15, 3, 3, 3, 3])

    expect(sums).toHaveLength(4)
    const [first, ...others] = sums
    const part = { of: first!.writes.y, offset: 0, pitch: 15 }
    expect(graph.parts.get(first!.reads.a!)).toBeUndefined()
    expect(graph.parts.get(first!.writes.y!)).toBeUndefined()
    expect(others.map(({ reads }) => graph.parts.get(reads.a!))).toEqual([part, part, part])
    // The last is the gradient of the convolution at the start, which takes no pitch.
    expect(others.map(({ writes }) => graph.parts.get(writes.y!))).toEqual([part, part, undefined])
    expect([...found]).toEqual(sums.map(({ writes }) => writes.y))
    // Each slice copies its channels before they are written again.
    const places = new Map(graph.nodes.map((node, place) => [node, place]))
    slicesOf(graph).forEach((each, i) => expect(places.get(each)).toBeLessThan(places.get(sums[Math.max(i - 1, 0)]!)!))
  })

  test.each([
    ['on a GPU', 'cuda:1', (x: Tensor) => norm(block(x, 4))],
    ['where a single concat meets another gradient, maybe much later', 'cpu', (x: Tensor) => norm(block(x, 1))],
    ['of a concat whose parts have no other reader', 'cpu', (x: Tensor) => norm(concat([concat([x, relu(x)]), relu(x)]))],
  ])('nothing is placed %s', (_, device, body) => {
    const graph = gradientOf(body)
    const slices = slicesOf(graph).length
    expect(slices).toBeGreaterThan(0)
    expect(placeGradients(graph, device).size).toBe(0)
    expect(slicesOf(graph)).toHaveLength(slices)
    expect(graph.parts.size).toBe(0)
  })

  const narrow = { dtype: 'f32', shape: [2, 4, 4, 2] } as const
  test.each<[string, (graph: Graph, sum: Tensor) => void]>([
    [
      'is read by another operation',
      (graph, x) => graph.add('relu', 'reader', { x }, {}, { y: { dtype: 'f32', shape: x.shape } }),
    ],
    ['leaves the plan', (graph, x) => graph.outputs.set('sum', x)],
    [
      'is read after its channels were written again',
      (graph, x) => graph.add('slice', 'late', { x }, { begin: [0, 0, 0, 1] }, { y: narrow }),
    ],
    [
      'has its first channels read twice',
      (graph, x) => graph.add('slice', 'again', { x }, { begin: [0, 0, 0, 0] }, { y: narrow }),
    ],
    [
      'has some pixels read',
      (graph, x) => graph.add('slice', 'rows', { x }, { begin: [0, 0, 0, 1] }, { y: { ...narrow, shape: [2, 4, 1, 2] } }),
    ],
  ])('a gradient that %s is a tensor of its own, between two buffers', (_, spoil) => {
    const graph = gradientOf(x => norm(block(x, 5)))
    const sums = graph.nodes.filter(({ op }) => op === 'add')
    spoil(graph, sums[1]!.writes.y!)
    placeGradients(graph, 'cpu')
    const pitches = (tensors: Tensor[]) => tensors.map(tensor => graph.parts.get(tensor)?.pitch)
    expect(pitches(sums.map(({ reads }) => reads.a!))).toEqual([undefined, 18, undefined, undefined, 9])
    expect(pitches(sums.map(({ writes }) => writes.y!))).toEqual([undefined, undefined, undefined, undefined, undefined])
  })

  test('slices of the forward pass stay', () => {
    const graph = gradientOf(x => norm(slice(x, [0, 0, 0, 0], [2, 4, 4, 4])))
    const before = [...graph.nodes]
    placeGradients(graph, 'cpu')
    expect(graph.nodes).toEqual(before)
  })
})

describe('in a training step of a DenseNet', () => {
  const make = () => new DenseNet(cifarDenseNet(28, 12, true))
  const images = [64, 32, 32, 3]
  const slices = (options: Parameters<typeof trainingDesc>[2]) =>
    trainingDesc(make(), images, options).nodes.filter(({ op }) => op === 'slice').length

  test('one copy of many channels a block is left', () => {
    expect(slices({})).toBe(3 * (4 + 1))
    expect(slices({ device: 'cuda' })).toBe(3 * 2 * 4)
    expect(slices({ disabledPasses: ['place-concats'] })).toBe(3 * 2 * 4)
    expect(slices({ checked: true })).toBe(3 * 2 * 4)
  })

  test.each(['normal', 'low'] as const)('memory %s: no more is alive at once, and additions to it are in no region', memory => {
    const desc = trainingDesc(make(), images, { memory })
    expect(livePeak(desc)).toBeLessThanOrEqual(livePeak(trainingDesc(make(), images, { memory, device: 'cuda' })))
    const { nodes, tensors, regions } = desc
    const places = nodes.flatMap(({ op, reads }, place) => (op === 'add' && tensors[reads[0]!]!.pitch > 0 ? [place] : []))
    expect(places).toHaveLength(3 * 3)
    for (const place of places) {
      expect(nodes[place - 1]!.op).toBe('bnBwdApply')
      expect(regions.filter(({ begin, end }) => begin <= place && place < end)).toEqual([])
    }
  })
})
