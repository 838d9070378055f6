/**
 * Fuses what follows a convolution or a batch norm into it: + residual, then ReLU. The activation is an attribute of the
 * fused operation; where a ReLU was erased there is no relu node, so the same operation ends up with 'identity'.
 * Tensors in `kept` (peeked ones) are never fused away.
 */
import { readersOf, type Graph, type Node } from '../graph.js'
import { sameShape, type Tensor } from '../tensor.js'

const hosts = new Set(['conv2d', 'batchNorm', 'batchNormInfer'])

export function fuse(graph: Graph, kept: ReadonlySet<Tensor>): void {
  const { nodes } = graph
  const readers = readersOf(nodes)
  for (const host of [...nodes]) {
    if (!hosts.has(host.op)) continue
    for (let next = onlyReader(host, readers, kept); next && absorb(host, next); next = onlyReader(host, readers, kept)) {
      // The host now stands for both, where the absorbed node stood: all that it reads is ready there.
      nodes.splice(nodes.indexOf(host), 1)
      nodes[nodes.indexOf(next)] = host
      const { residual } = host.reads
      if (residual && next.op === 'add')
        readers.set(
          residual,
          readers.get(residual)!.map(node => (node === next ? host : node)),
        )
    }
  }
}

function onlyReader(host: Node, readers: ReadonlyMap<Tensor, Node[]>, kept: ReadonlySet<Tensor>): Node | undefined {
  const y = host.writes.y!
  const list = readers.get(y)
  return !kept.has(y) && list?.length === 1 ? list[0] : undefined
}

/** Takes `next` into `host` if the fused operation can express it. */
function absorb(host: Node, next: Node): boolean {
  if (host.attributes.activation !== 'identity') return false
  if (next.op === 'relu') {
    host.attributes = { ...host.attributes, activation: 'relu' }
  } else if (next.op === 'add' && !host.reads.residual) {
    const { a, b } = next.reads
    const residual = a === host.writes.y ? b : a
    if (!residual || residual === host.writes.y || !sameShape(residual.shape, host.writes.y!.shape)) return false
    host.reads = { ...host.reads, residual }
  } else {
    return false
  }
  host.writes = { ...host.writes, y: next.writes.y }
  return true
}
