/**
 * Splits batchNorm into bnStats and bnApply, because statistics and application are where tiling and fusion cut, and puts
 * the update of the running statistics into the update section.
 */
import type { Graph, Node } from '../graph.js'
import type { Tensor } from '../tensor.js'

export function lower(graph: Graph, { state }: { state: Tensor }): void {
  const { nodes } = graph
  for (const node of [...nodes]) {
    if (node.op !== 'batchNorm') continue
    const { x, gamma, beta, residual, runningMean, runningVariance } = node.reads
    const { y, mask, mean, invstd, variance } = node.writes
    const { epsilon, momentum, activation } = node.attributes
    const part = (
      op: Node['op'],
      reads: Node['reads'],
      attributes: Node['attributes'],
      writes: Node['writes'],
      section: Node['section'] = 'gradient',
    ) => ({ op, name: node.name, reads, attributes, writes, section }) satisfies Node

    nodes.splice(
      nodes.indexOf(node),
      1,
      part('bnStats', { x }, { epsilon: epsilon! }, { mean, invstd, variance }),
      part('bnApply', { x, mean, invstd, gamma, beta, residual }, { activation: activation! }, { y, mask }),
    )
    const count = x!.size / x!.shape.at(-1)!
    const reads = { mean, variance, state, runningMean, runningVariance }
    nodes.push(part('bnRunningUpdate', reads, { momentum: momentum!, count }, { runningMean, runningVariance }, 'update'))
  }
}
