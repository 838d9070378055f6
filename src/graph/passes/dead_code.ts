/** Removes nodes whose outputs nobody reads. */
import { present, type Graph } from '../graph.js'
import type { Tensor } from '../tensor.js'

export function removeDeadCode(graph: Graph, kept: ReadonlySet<Tensor>): void {
  const live = new Set<Tensor>([...kept, ...graph.outputs.values(), ...graph.gradients.values()])
  const isRead = (tensor: Tensor) => live.has(tensor) || live.has(graph.parts.get(tensor)?.of ?? tensor)
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!
    if (node.section === 'update' || present(node.writes).some(tensor => isRead(tensor) || graph.sources.has(tensor))) {
      for (const tensor of present(node.reads)) live.add(tensor).add(graph.parts.get(tensor)?.of ?? tensor)
    } else {
      graph.nodes.splice(i, 1)
    }
  }
}
