/** How much planned memory is alive at once in a plan, from the lifetimes of its tensors. Nothing native is asked. */
import type { PlanDesc } from '../runtime/plan_desc.js'
import { bytesOf } from './cost.js'
import { elementsOf } from './tensor.js'

/**
 * Bytes. What a plan's arena holds at its fullest, before what only a device's kernels know: their scratchpads, and which outputs take
 * an input's memory. Regions are not looked at: plans for a GPU have none.
 */
export function livePeak({ tensors, nodes, outputs }: PlanDesc): number {
  const rootOf = (tensor: number): number => (tensors[tensor]!.place === 'view' ? rootOf(tensors[tensor]!.of) : tensor)
  const last = nodes.length - 1
  const uses = new Map<number, { first: number; last: number }>()
  nodes.forEach(({ reads, writes }, at) => {
    for (const tensor of [...reads, ...writes]) {
      if (tensor < 0) continue
      const root = rootOf(tensor)
      uses.set(root, { first: uses.get(root)?.first ?? at, last: at })
    }
  })
  const whole = (root: number) => (uses.has(root) ? uses.set(root, { first: 0, last }) : uses)
  tensors.forEach(({ wholeStep }, tensor) => wholeStep && whole(rootOf(tensor)))
  for (const { tensor } of outputs) {
    const use = uses.get(rootOf(tensor))
    if (use) use.last = last
  }
  // What begins to live at a node less what has ended before it.
  const change = new Float64Array(nodes.length + 1)
  for (const [root, use] of uses) {
    const { place, dtype, shape } = tensors[root]!
    if (place !== 'arena') continue
    const bytes = elementsOf(shape) * bytesOf[dtype]
    change[use.first]! += bytes
    change[use.last + 1]! -= bytes
  }
  let [alive, peak] = [0, 0]
  for (const bytes of change) {
    alive += bytes
    peak = Math.max(peak, alive)
  }
  return peak
}
