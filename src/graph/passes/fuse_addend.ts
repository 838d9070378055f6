/** Lets conv2dBwdData add the gradient that comes over the shortcut, in place of an add node of its own. */
import { readersOf, type Graph, type Node } from '../graph.js'
import type { Tensor } from '../tensor.js'

export function fuseAddend(graph: Graph): void {
  const { nodes } = graph
  const kept = new Set(graph.gradients.values())
  const readers = readersOf(nodes)
  const producer = new Map<Tensor, Node>()
  for (const node of nodes) for (const tensor of Object.values(node.writes)) if (tensor) producer.set(tensor, node)

  for (const add of nodes.filter(node => node.op === 'add')) {
    const { a, b } = add.reads
    const candidates = [a!, b!]
      .map((dx, i) => ({ convolution: producer.get(dx), dx, other: i === 0 ? b! : a! }))
      .filter(({ convolution, dx, other }) => {
        if (convolution?.op !== 'conv2dBwdData' || convolution.reads.addend) return false
        if (kept.has(dx) || readers.get(dx)?.length !== 1) return false
        const source = producer.get(other)
        return !source || nodes.indexOf(source) < nodes.indexOf(convolution)
      })
    const [chosen] = candidates
    if (!chosen?.convolution) continue
    const { convolution, other } = chosen
    convolution.reads = { ...convolution.reads, addend: other }
    convolution.writes = { dx: add.writes.y }
    producer.set(add.writes.y!, convolution)
    nodes.splice(nodes.indexOf(add), 1)
  }
}
