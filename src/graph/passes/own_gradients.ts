/**
 * Gives every parameter's gradient memory of its own, because it will be a part of the flat gradient: copies those that
 * share a tensor with another gradient or with something that no node writes.
 */
import type { Graph } from '../graph.js'
import { f32, type Tensor } from '../tensor.js'

export function ownGradients(graph: Graph): void {
  const reshaped = new Map<Tensor, Tensor>()
  for (const node of graph.nodes) if (node.op === 'reshape') reshaped.set(node.writes.y!, node.reads.x!)
  const rootOf = (tensor: Tensor): Tensor => (reshaped.has(tensor) ? rootOf(reshaped.get(tensor)!) : tensor)

  const taken = new Set<Tensor>()
  for (const [parameter, tensor] of graph.gradients) {
    const root = rootOf(tensor)
    if (taken.has(root) || graph.sources.has(root)) {
      graph.gradients.set(parameter, graph.add('cast', parameter.name, { x: tensor }, {}, { y: f32(tensor.shape) }).y!)
    }
    taken.add(root)
  }
}
