/**
 * The gradients of a dense block's concats in one buffer, as the concats themselves are (place_concats.ts). The gradient of each concat is
 * cut into that of the concat before, its first channels, to which another gradient is added, and that of the new channels. The first
 * channels are not copied but read where they are, and the sum takes their place: it is the first channels of the buffer.
 */
import { present, readersOf, type Graph, type Node } from '../graph.js'
import type { Tensor } from '../tensor.js'

/** The first channels of a gradient, and the addition of another gradient to them. */
interface Link {
  readonly cut: Node
  readonly sum: Node
}

/**
 * To be used when the graph has all its nodes. Returns the sums of all chains that have a buffer. Nothing is placed on a GPU, whose
 * addition takes no pitch.
 */
export function placeGradients(graph: Graph, device: string): ReadonlySet<Tensor> {
  const sums = new Set<Tensor>()
  if (device.startsWith('cuda')) return sums
  const { nodes, parts, sources } = graph
  const readers = readersOf(nodes)
  const places = new Map(nodes.map((node, place) => [node, place]))
  const leaving = new Set<Tensor>([...graph.outputs.values(), ...graph.gradients.values()])
  const views = new Set(nodes.flatMap(node => (node.op === 'reshape' ? present(node.writes) : [])))
  const cuts = new Set<Node>()

  /** Nothing but slices reads the gradient, and all but one of them have copied their channels before the sum takes the place of the others. */
  const linkFrom = (gradient: Tensor): Link | undefined => {
    const slices = readers.get(gradient) ?? []
    if (leaving.has(gradient) || sources.has(gradient) || views.has(gradient) || parts.has(gradient)) return undefined
    if (slices.length < 2 || !slices.every(takesChannels)) return undefined
    const [cut, ...others] = slices.filter(({ attributes }) => firstChannel(attributes.begin) === 0)
    if (!cut || others.length > 0) return undefined
    const first = cut.writes.y!
    const [sum, ...more] = readers.get(first) ?? []
    if (sum?.op !== 'add' || more.length > 0 || sum.reads.b === first || leaving.has(first) || parts.has(first)) return undefined
    return slices.every(slice => places.get(slice)! < places.get(sum)!) ? { cut, sum } : undefined
  }

  for (const node of nodes) {
    if (node.op !== 'slice' || cuts.has(node)) continue
    const chain: Link[] = []
    for (let link = linkFrom(node.reads.x!); link; link = linkFrom(link.sum.writes.y!)) chain.push(link)
    const [first, ...placed] = chain
    if (!first || placed.length === 0) continue
    for (const { sum } of chain) sums.add(sum.writes.y!)
    // Not the first gradient: its new channels would be kept where a plan needs the most memory.
    const buffer = first.sum.writes.y!
    const part = { of: buffer, offset: 0, pitch: channelsOf(buffer) }
    for (const { cut, sum } of placed) {
      cuts.add(cut)
      parts.set(cut.writes.y!, part)
      // The last is the gradient of what no concat has made: it is a tensor of its own.
      if (sum !== placed.at(-1)!.sum) parts.set(sum.writes.y!, part)
    }
  }
  for (const cut of cuts) nodes.splice(nodes.indexOf(cut), 1)
  return sums
}

const channelsOf = ({ shape }: Tensor): number => shape.at(-1)!
const firstChannel = (begin: Node['attributes'][string] | undefined): number => (begin as readonly number[]).at(-1)!

/** Whether a slice takes some channels of every pixel. */
function takesChannels({ op, reads, writes }: Node): boolean {
  if (op !== 'slice') return false
  const [x, y] = [reads.x!, writes.y!].map(({ shape }) => shape.slice(0, -1).join(' '))
  return x === y
}
