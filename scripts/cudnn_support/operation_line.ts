/** An operation of a plan as a line of text, as test/native/simulated_gpu/check/operation_line.h reads it. */
import type { NodeEntry, PlanDesc } from '../../src/runtime/plan_desc.js'

/** Name, images a launch (0: all at once), attributes, what it reads, what it writes; between tabs. */
export function operationLine(plan: PlanDesc, node: number): string {
  const { op, attributes, reads, writes } = plan.nodes[node]!
  const chunk = plan.regions.find(({ begin, end }) => begin <= node && node < end)?.chunk ?? 0
  const tensors = (numbers: NodeEntry['reads']) => numbers.map(number => tensorText(plan, number)).join(';')
  const values = Object.entries(attributes).map(
    ([name, value]) => `${name}=${typeof value === 'object' ? `[${value.join(',')}]` : value}`,
  )
  return [op, chunk, values.join(';'), tensors(reads), tensors(writes)].join('\t')
}

function tensorText(plan: PlanDesc, number: number): string {
  if (number < 0) return '-'
  const { dtype, shape } = plan.tensors[number]!
  return `${dtype}:${shape.join(',')}`
}
