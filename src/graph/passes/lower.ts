/**
 * Splits batchNorm into bnStats and bnApply, because statistics and application are where tiling and fusion cut, and puts
 * the update of all running statistics into the update section: one node, so that it costs one launch.
 */
import { Internal } from '../../runtime/errors.js'
import type { StoreLayout } from '../../runtime/store_layout.js'
import type { Graph, Node, Operands } from '../graph.js'
import type { Parameter } from '../parameter.js'
import { f32, type Tensor } from '../tensor.js'

export interface LowerOptions {
  /** The update state. */
  readonly state: Tensor
  /** Where the running statistics lie in the store. */
  readonly layout: StoreLayout<Parameter>
}

/** f32 elements to whose multiple each layer's statistics are placed: 64 bytes, as tensors of their own would be. */
const alignment = 16

export function lower(graph: Graph, options: LowerOptions): void {
  const norms = graph.nodes.filter(({ op }) => op === 'batchNorm')
  for (const node of norms) {
    const { x, gamma, beta, residual } = node.reads
    const { y, mask, mean, invstd, variance } = node.writes
    const { epsilon, activation } = node.attributes
    const part = (op: Node['op'], reads: Operands, attributes: Node['attributes'], writes: Operands): Node => ({
      op,
      name: node.name,
      reads,
      attributes,
      writes,
      section: 'gradient',
    })
    graph.nodes.splice(
      graph.nodes.indexOf(node),
      1,
      part('bnStats', { x }, { epsilon: epsilon! }, { mean, invstd, variance }),
      part('bnApply', { x, mean, invstd, gamma, beta, residual }, { activation: activation! }, { y, mask }),
    )
  }
  for (const uses of rounds(norms)) addRunningUpdate(graph, uses, options)
}

/** A layer that is used twice updates its statistics twice, one after the other; the k-th uses of all layers go together. */
function rounds(norms: readonly Node[]): Node[][] {
  const all: Node[][] = []
  const usesOf = new Map<Tensor | undefined, number>()
  for (const node of norms) {
    const round = usesOf.get(node.reads.runningMean) ?? 0
    usesOf.set(node.reads.runningMean, round + 1)
    ;(all[round] ??= []).push(node)
  }
  return all
}

/** Makes the statistics of these layers parts of one tensor, and updates all running ones from it. */
function addRunningUpdate(graph: Graph, norms: readonly Node[], { state, layout }: LowerOptions): void {
  const offsetOf = (tensor: Tensor | undefined): number => {
    const parameter = tensor && graph.parameterOf(tensor)
    if (!parameter) throw new Internal(`${tensor?.name}: a running statistic must be a parameter`)
    return layout.offsetOf(parameter)
  }
  const ranges: number[] = []
  const parts: [Tensor, number][] = []
  let size = 0
  for (const { reads, writes } of norms) {
    const { mean, variance } = writes
    const channels = mean!.size
    ranges.push(size, offsetOf(reads.runningMean), offsetOf(reads.runningVariance), channels)
    parts.push([mean!, size], [variance!, size + channels])
    size += Math.ceil((2 * channels) / alignment) * alignment
  }
  const statistics = graph.tensor(f32([size]), 'statistics')
  for (const [tensor, offset] of parts) graph.parts.set(tensor, { of: statistics, offset })
  const running = graph.source(f32([layout.size]), 'weights', { kind: 'arena', arena: 'weights' })
  const momentum = norms.map(({ attributes }) => attributes.momentum as number)
  const count = norms.map(({ reads: { x } }) => x!.size / x!.shape.at(-1)!)
  graph.add('bnRunningUpdate', 'update', { statistics, state, running }, { ranges, momentum, count }, { running }, 'update')
}
