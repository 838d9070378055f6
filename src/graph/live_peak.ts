/** How much planned memory is alive at once in a plan, from the lifetimes of its tensors. Nothing native is asked. */
import type { PlanDesc } from '../runtime/plan_desc.js'
import { bytesOf } from './cost.js'
import { elementsOf } from './tensor.js'

/** A node reads or writes these elements of a tensor. */
interface Touch {
  readonly begin: number
  readonly end: number
  readonly node: number
}

/**
 * Bytes. What a plan's arena holds at its fullest, before what only a device's kernels know: their scratchpads, and which outputs take
 * an input's memory. Regions are not looked at: plans for a GPU have none.
 */
export function livePeak(desc: PlanDesc): number {
  const { tensors, nodes } = desc
  // What begins to live at a node less what has ended before it.
  const change = new Float64Array(nodes.length + 1)
  for (const [root, touches] of touchesOf(desc)) {
    const { place, dtype, shape } = tensors[root]!
    if (place !== 'arena') continue
    for (const { size, first, last } of piecesOf(elementsOf(shape), touches)) {
      change[first]! += size * bytesOf[dtype]
      change[last + 1]! -= size * bytesOf[dtype]
    }
  }
  let [alive, peak] = [0, 0]
  for (const bytes of change) {
    alive += bytes
    peak = Math.max(peak, alive)
  }
  return peak
}

/** By the tensor that owns the memory. */
function touchesOf({ tensors, nodes, outputs }: PlanDesc): Map<number, Touch[]> {
  const touched = new Map<number, Touch[]>()
  const last = nodes.length - 1
  /** Where a tensor's memory is: in which tensor, and from which element on. */
  const placeOf = (tensor: number): { root: number; offset: number } => {
    const { place, of, offset } = tensors[tensor]!
    if (place !== 'view') return { root: tensor, offset: 0 }
    const outer = placeOf(of)
    return { root: outer.root, offset: outer.offset + offset }
  }
  const touch = (tensor: number, node: number) => {
    const { root, offset } = placeOf(tensor)
    const { pitch, shape } = tensors[tensor]!
    // A part with a pitch lies all over its tensor.
    const [begin, size] = pitch > 0 ? [0, elementsOf(tensors[root]!.shape)] : [offset, elementsOf(shape)]
    const list = touched.get(root)
    const entry = { begin, end: begin + size, node }
    if (list) list.push(entry)
    else touched.set(root, [entry])
  }
  nodes.forEach(({ reads, writes }, at) => {
    for (const tensor of [...reads, ...writes]) if (tensor >= 0) touch(tensor, at)
  })
  const isTouched = (tensor: number) => touched.has(placeOf(tensor).root)
  tensors.forEach(({ wholeStep }, tensor) => {
    if (!wholeStep || !isTouched(tensor)) return
    touch(placeOf(tensor).root, 0)
    touch(placeOf(tensor).root, last)
  })
  for (const { tensor } of outputs) if (isTouched(tensor)) touch(tensor, last)
  return touched
}

/** The parts of a tensor that nodes touch alike, and the first and last of these nodes: those of the flat gradient are written one after the other. */
function piecesOf(size: number, touches: readonly Touch[]): { size: number; first: number; last: number }[] {
  const bounds = [...new Set([0, size, ...touches.flatMap(({ begin, end }) => [begin, end])])].sort((a, b) => a - b)
  return bounds.slice(1).flatMap((end, i) => {
    const begin = bounds[i]!
    const nodes = touches.filter(touch => touch.begin < end && begin < touch.end).map(({ node }) => node)
    return nodes.length > 0 ? [{ size: end - begin, first: Math.min(...nodes), last: Math.max(...nodes) }] : []
  })
}
