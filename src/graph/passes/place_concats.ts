/**
 * Concat as placement. In a dense block each concat reads the one before and adds a few channels. All of them become views of one
 * buffer: the first channels of its pixels, with its pixel pitch. Only the new channels are copied, and the block's memory is that
 * of its last concat instead of the sum of all. A concat stays a tensor of its own where an operation reads it that takes no pitch.
 */
import { readersOf, type Graph, type Node } from '../graph.js'
import { pitchedOperands } from '../pitched_operands.js'
import type { Tensor } from '../tensor.js'

/** Elements to whose multiple a pixel of the buffer is rounded up: 16 bytes of the narrowest type, so that no row spoils vectors. */
const pitchMultiple = 8

/** To be used when the graph has all its nodes. */
export function placeConcats(graph: Graph): void {
  const readers = readersOf(graph.nodes)
  const leaving = new Set<Tensor>([...graph.outputs.values(), ...graph.gradients.values()])
  const placed = new Set<Node>()

  const isPlaceable = (node: Node): boolean => {
    const y = node.writes.y!
    return (
      joinsChannels(node) &&
      Object.keys(node.reads).length > 1 &&
      !leaving.has(y) &&
      !graph.parts.has(y) &&
      (readers.get(y) ?? []).every(reader => takesPitch(reader, y))
    )
  }
  const successor = (node: Node): Node | undefined =>
    readers.get(node.writes.y!)?.find(next => Object.values(next.reads)[0] === node.writes.y && isPlaceable(next))

  for (const first of graph.nodes) {
    if (placed.has(first) || !isPlaceable(first)) continue
    const chain = [first]
    for (let next = successor(first); next; next = successor(next)) chain.push(next)
    if (chain.length < 2) continue
    for (const node of chain) placed.add(node)
    place(graph, chain)
  }
}

const channelsOf = ({ shape }: Tensor): number => shape.at(-1)!

const joinsChannels = ({ op, attributes, writes }: Node): boolean =>
  op === 'concat' && attributes.axis === writes.y!.shape.length - 1

/** Whether a node takes a tensor with a pitch wherever it reads it. */
function takesPitch(node: Node, tensor: Tensor): boolean {
  if (node.op === 'concat') return joinsChannels(node)
  const names = pitchedOperands(node.op).split(' ')
  return Object.entries(node.reads).every(([operand, read]) => read !== tensor || names.includes(operand))
}

function place(graph: Graph, chain: readonly Node[]): void {
  const { dtype, name, shape } = chain.at(-1)!.writes.y!
  const pixels = shape.slice(0, -1)
  const pitch = Math.ceil(shape.at(-1)! / pitchMultiple) * pitchMultiple
  const buffer = graph.tensor({ dtype, shape: [...pixels, pitch] }, name)
  let before = 0
  for (const node of chain) {
    const y = node.writes.y!
    graph.parts.set(y, { of: buffer, offset: 0, pitch })
    if (before > 0) {
      const added = graph.tensor({ dtype, shape: [...pixels, channelsOf(y) - before] }, node.name)
      graph.parts.set(added, { of: buffer, offset: before, pitch })
      node.reads = Object.fromEntries(Object.entries(node.reads).slice(1))
      node.writes = { y: added }
    }
    before = channelsOf(y)
  }
}
