/**
 * Marks tiled regions: runs of nodes that the plan executes chunk by chunk over the batch, so that what one node writes is
 * still in the cache when the next reads it (bnApply + conv2d + bnStats; bnBwdApply + both convolution gradients +
 * bnBwdReduce). A region holds only operations that work image by image or sum over images, and none that needs, before the
 * last chunk is through, all of a tensor which the region writes: a finished sum, or a filter that is itself computed. Chunk sizes depend on shapes only, so the numbers do not depend on the machine.
 */
import { operandsOf, present, type Node } from '../graph.js'
import type { DType, Tensor } from '../tensor.js'

export interface Region {
  /** Nodes [begin, end) of the plan, which has no reshape nodes. */
  readonly begin: number
  readonly end: number
  /** Images a chunk. */
  readonly chunk: number
}

/** What one tensor's share of a chunk should take at most: a part of a core's second-level cache. */
const chunkBytes = 2 << 20

/** Bytes of an element, of the types that activations can have. */
const activationBytes: Readonly<Record<DType, number>> = { f32: 4, bf16: 2, f16: 2, i32: 0, u8: 0 }

/** Fewer chunks than this are not worth their overhead: such tensors fit a shared cache as a whole. */
const fewestChunks = 4

/** A region with more than one of the same of these would keep too much alive. */
const onceARegion = new Set(['conv2d', 'conv2dBwdData', 'conv2dBwdFilter'])

/** Operands that a node needs whole, whatever images it works on. */
export const wholeOperands = new Set(['w', 'bias', 'mean', 'invstd', 'variance', 'gamma', 'beta', 'dgamma', 'dbeta'])

/**
 * The regions of a graph's nodes. Nodes of `again` do what another node has done, where it is read: they go with what stands around
 * them, so that regions, and with them the order of sums, do not depend on them. None on a GPU: its kernels want the whole batch, and
 * every chunk would be a launch more. What writes one of `whole` stands in none: it may be one kernel with the node before it.
 */
export function tile(
  all: readonly Node[],
  device = 'cpu',
  again: ReadonlySet<Node> = new Set(),
  whole: ReadonlySet<Tensor> = new Set(),
): Region[] {
  if (device.startsWith('cuda')) return []
  const views = new Map<Tensor, Tensor>()
  for (const node of all) if (node.op === 'reshape') views.set(node.writes.y!, node.reads.x!)
  const rootOf = (tensor: Tensor): Tensor => {
    const of = views.get(tensor)
    return of ? rootOf(of) : tensor
  }
  const planned = all.filter(node => node.op !== 'reshape')
  const places = new Map(planned.map((node, place) => [node, place]))
  const nodes = planned.filter(node => !again.has(node))
  const regions: Region[] = []
  for (let begin = 0; begin < nodes.length;) {
    const end = regionEnd(nodes, begin, rootOf, whole)
    const chunk = end - begin > 1 ? chunkOf(nodes.slice(begin, end)) : undefined
    if (chunk !== undefined) regions.push({ begin: places.get(nodes[begin]!)!, end: places.get(nodes[end - 1]!)! + 1, chunk })
    begin = Math.max(end, begin + 1)
  }
  return regions
}

function regionEnd(
  nodes: readonly Node[],
  begin: number,
  rootOf: (tensor: Tensor) => Tensor,
  whole: ReadonlySet<Tensor>,
): number {
  const written = new Set<Tensor>()
  const sums = new Set<Tensor>()
  const seen = new Set<string>()
  const tooEarly = ([operand, tensor]: [string, Tensor | undefined]) =>
    tensor !== undefined && (wholeOperands.has(operand) ? written : sums).has(rootOf(tensor))
  let end = begin
  for (; end < nodes.length; end++) {
    const node = nodes[end]!
    const { batch } = operandsOf(node.op)
    if (batch === 'whole' || batchOf(node) !== batchOf(nodes[begin]!) || (onceARegion.has(node.op) && seen.has(node.op))) break
    if (present(node.writes).some(tensor => whole.has(tensor))) break
    if (Object.entries(node.reads).some(tooEarly)) break
    seen.add(node.op)
    for (const tensor of present(node.writes)) {
      written.add(rootOf(tensor))
      if (batch === 'reduce') sums.add(rootOf(tensor))
    }
  }
  return end
}

/** Dimension 0 of what a map writes and a reduce reads. */
function batchOf(node: Node): number {
  const [tensor] = present(operandsOf(node.op).batch === 'map' ? node.writes : node.reads)
  return tensor?.shape[0] ?? 0
}

/** Images a chunk: what fits the cache and divides the batch, because a rest would need kernels of another size. */
function chunkOf(nodes: readonly Node[]): number | undefined {
  const batch = batchOf(nodes[0]!)
  const perImage = (tensor: Tensor) => (tensor.shape[0] === batch ? (tensor.size / batch) * activationBytes[tensor.dtype] : 0)
  const largest = Math.max(...nodes.flatMap(node => [...present(node.reads), ...present(node.writes)]).map(perImage))
  if (batch * largest < fewestChunks * chunkBytes) return undefined
  const fitting = Math.floor(chunkBytes / largest)
  for (let chunk = fitting; chunk >= 1 && chunk >= fitting / 2; chunk--) if (batch % chunk === 0) return chunk
  return undefined
}
