/** A measured step as a file for Chrome's trace viewer and Perfetto. */
import { formatShape } from '../graph/tensor.js'
import { useOf } from '../graph/cost.js'
import type { PlanDesc } from '../runtime/plan_desc.js'
import type { ProfiledNode } from './profile_run.js'

/**
 * The nodes in the order in which they run, one behind the other, each as long as its median. The chunks of a tiled region, which really
 * alternate between its nodes, are added up.
 */
export function chromeTrace(title: string, desc: PlanDesc, nodes: readonly ProfiledNode[]): string {
  let ts = 0
  const events = nodes.map((node, i) => {
    const { layer, op, engine, milliseconds, bytes, flops, ofRoofline } = node
    const { section } = desc.nodes[i]!
    const dur = milliseconds * 1000
    const event = {
      name: layer === '' ? op : `${layer} ${op}`,
      cat: `${op},${section}`,
      ph: 'X',
      pid: 1,
      tid: 1,
      ts,
      dur,
      args: { engine, bytes, flops, ofRoofline, ...shapesOf(desc, i) },
    }
    ts += dur
    return event
  })
  const names = { ph: 'M', pid: 1, tid: 1, name: 'process_name', args: { name: title } }
  return `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: [names, ...events] })}\n`
}

/** { 'x': '[128, 32, 32, 16] f32' } */
function shapesOf(desc: PlanDesc, node: number): Record<string, string> {
  const { reads, writes } = useOf(desc, desc.nodes[node]!)
  const present = Object.entries({ ...reads, ...writes }).flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : []))
  return Object.fromEntries(present.map(([name, { shape, dtype }]) => [name, `${formatShape(shape)} ${dtype}`]))
}
