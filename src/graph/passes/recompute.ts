/**
 * Computes cheap activations once more where the backward pass reads them, so that they need not be kept from the forward pass: the
 * same operation on the same operands, which gives the same bits for one more reading and writing. Normally only the batch norms of
 * placed concats: in a dense block these results have as many channels as all layers before, and to keep them would take back what
 * placement has saved. With memory 'low' whatever can be computed from tensors that are kept for another reason.
 */
import { InvalidArgument } from '../../runtime/errors.js'
import { requireOneOf } from '../../runtime/options.js'
import { present, readersOf, type Graph, type Node, type Operands } from '../graph.js'
import { rootOf } from '../serialise.js'
import type { Tensor } from '../tensor.js'
import type { PassName } from './optional.js'
import { wholeOperands } from './tile.js'

/** What a training step keeps for its backward pass. 'low': cheap activations are computed a second time where that takes memory away (activation checkpointing). */
export type Memory = 'normal' | 'low'
export const memories: readonly Memory[] = ['normal', 'low']

/** Throws InvalidArgument; `where`: 'Trainer'. */
export function checkMemory(where: string, memory: unknown, disabledPasses: readonly PassName[] = []): void {
  requireOneOf(where, 'memory', memory, memories)
  if (memory === 'low' && disabledPasses.includes('recompute'))
    throw new InvalidArgument(`${where}: memory 'low' is the work of the pass 'recompute': do not disable it`)
}

/** They take an image at a time and each element once. */
const cheap = new Set(['bnApply', 'batchNormInfer', 'relu', 'dropout', 'scaleSamples', 'add'])

/** To be used after placeConcats. Returns the nodes that it adds. */
export function recompute(graph: Graph, memory: Memory = 'normal'): ReadonlySet<Node> {
  const { nodes, parts } = graph
  const places = new Map(nodes.map((node, place) => [node, place]))
  const backward = nodes.findIndex(({ op }) => op.includes('Bwd'))
  if (backward < 0) return new Set()
  const forward = nodes.slice(0, backward)
  const producers = new Map(forward.flatMap(node => present(node.writes).map(tensor => [tensor, node] as const)))
  const readers = readersOf(nodes)
  const lives = new Lifetimes(graph)
  const added: { chain: Node[]; before: Node }[] = []

  /** What computes the node's result from what is kept until `place`: the node, and before it those whose results only it reads. */
  const chainTo = (node: Node, place: number): Node[] | undefined => {
    if (!cheap.has(node.op) || !lives.isAlone(node.writes.y!)) return undefined
    const chain = [node]
    for (const read of present(node.reads)) {
      if (lives.isKept(read, place)) continue
      if (readsWhole(node, read)) return undefined
      const producer = readers.get(read)!.length === 1 ? producers.get(read) : undefined
      const before = producer && chainTo(producer, place)
      if (!before) return undefined
      chain.unshift(...before)
    }
    return chain
  }

  for (const node of forward) {
    const y = node.writes.y!
    if (memory === 'normal' && (node.op !== 'bnApply' || parts.get(node.reads.x!)?.pitch === undefined)) continue
    const [early, late] = split(readers.get(y) ?? [], reader => places.get(reader)! < backward)
    const [before] = late
    if (!before || early.length === 0 || late.some(reader => readsWhole(reader, y))) continue
    const chain = chainTo(node, places.get(before)!)
    if (!chain) continue
    const copies = copiesOf(graph, chain)
    added.push({ chain: copies, before })
    const again = copies.at(-1)!.writes.y!
    for (const reader of late) reader.reads = replaced(reader.reads, new Map([[y, again]]))
    lives.end(y, Math.max(...early.map(reader => places.get(reader)!)))
  }
  for (const { chain, before } of added) nodes.splice(nodes.indexOf(before), 0, ...chain)
  return new Set(added.flatMap(({ chain }) => chain))
}

/** The same nodes with results of their own; masks are those of the first time. */
function copiesOf(graph: Graph, chain: readonly Node[]): Node[] {
  const copies = new Map<Tensor, Tensor>()
  return chain.map(node => {
    const y = graph.tensor(node.writes.y!, node.name)
    const copy = { ...node, reads: replaced(node.reads, copies), writes: { y } }
    copies.set(node.writes.y!, y)
    return copy
  })
}

const replaced = (reads: Operands, by: ReadonlyMap<Tensor, Tensor>): Operands =>
  Object.fromEntries(Object.entries(reads).map(([operand, read]) => [operand, (read && by.get(read)) ?? read]))

/** Until which node of the graph each tensor's memory is needed. */
class Lifetimes {
  private readonly views: Map<Tensor, { of: Tensor }>
  private readonly shown: ReadonlySet<Tensor>
  private readonly lastRead = new Map<Tensor, number>()

  constructor({ nodes, parts, sources, outputs, gradients }: Graph) {
    this.views = new Map(parts)
    for (const { op, reads, writes } of nodes) if (op === 'reshape') this.views.set(writes.y!, { of: reads.x! })
    this.shown = new Set(Array.from(this.views.values(), ({ of }) => of))
    nodes.forEach(({ reads }, place) => {
      for (const tensor of present(reads)) this.end(tensor, place)
    })
    for (const tensor of [...sources.keys(), ...outputs.values(), ...gradients.values()]) this.end(tensor, Infinity)
  }

  /** Whether its memory is no other tensor's, and not read after the step. */
  isAlone(tensor: Tensor): boolean {
    return !this.views.has(tensor) && !this.shown.has(tensor) && this.lastRead.get(tensor) !== Infinity
  }

  isKept(tensor: Tensor, place: number): boolean {
    return (this.lastRead.get(rootOf(tensor, this.views)) ?? -1) >= place
  }

  end(tensor: Tensor, place: number): void {
    this.lastRead.set(rootOf(tensor, this.views), place)
  }
}

/** Such a node cannot work on a part of the images while the operand is being computed. */
const readsWhole = ({ reads }: Node, tensor: Tensor): boolean =>
  Object.entries(reads).some(([operand, read]) => read === tensor && wholeOperands.has(operand))

function split<T>(list: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [list.filter(isFirst), list.filter(item => !isFirst(item))]
}
