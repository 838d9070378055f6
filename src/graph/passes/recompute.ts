/**
 * Applies batch norm once more where the backward pass reads its result, so that it need not be kept from the forward pass. Only
 * of placed concats: in a dense block these results have as many channels as all layers before, and to keep them would take back
 * what placement has saved. The same numbers come out, for one more reading and writing.
 */
import { readersOf, type Graph, type Node } from '../graph.js'

/** To be used after placeConcats. */
export function recompute(graph: Graph): void {
  const { nodes, parts } = graph
  const readers = readersOf(nodes)
  const leaving = new Set(graph.outputs.values())
  for (const apply of [...nodes]) {
    const { x } = apply.reads
    const { y, mask } = apply.writes
    if (apply.op !== 'bnApply' || mask || leaving.has(y!) || parts.get(x!)?.pitch === undefined) continue
    const later = (readers.get(y!) ?? []).filter(isBackward)
    const [first] = later
    if (!first) continue
    const again = graph.tensor(y!, apply.name)
    for (const node of later)
      node.reads = Object.fromEntries(Object.entries(node.reads).map(([name, read]) => [name, read === y ? again : read]))
    nodes.splice(nodes.indexOf(first), 0, { ...apply, writes: { y: again } })
  }
}

const isBackward = ({ op }: Node): boolean => op.includes('Bwd')
