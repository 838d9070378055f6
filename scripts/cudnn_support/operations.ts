/** The operations of all plans, each once, and what cuDNN sees of one. */
import { operationLine } from './operation_line.js'
import type { PlanOfModel } from './plans_of_models.js'

export const precisions = ['f32', 'bf16', 'f16'] as const
export type Precision = (typeof precisions)[number]

export interface Operation {
  /** As the vocabulary calls it. */
  readonly op: string
  readonly precision: Precision
  /** What is asked about. */
  readonly line: string
  /** Of a convolution, in the table: '3x3/1 56x56x64 -> 56x56x64 relu'. */
  readonly form: string
}

const known = new Map<string, Operation>()

/** Each distinct operation of a plan; those of a bf16 plan in f16 too, which types the same tensors. The same operation is always the same object. */
export function operationsOf({ plan, precision }: PlanOfModel): Operation[] {
  const lines = [...new Set(plan.nodes.map((_, node) => operationLine(plan, node)))]
  if (precision === 'f32') return lines.map(line => operationOf(precision, line))
  return [
    ...lines.map(line => operationOf('bf16', line)),
    ...lines.map(line => operationOf('f16', line.replaceAll('bf16:', 'f16:'))),
  ]
}

/** The precision is that of the plan: some of its operations are in f32 under every policy. */
function operationOf(precision: Precision, line: string): Operation {
  const key = `${precision} ${line}`
  const operation = known.get(key) ?? { op: line.slice(0, line.indexOf('\t')), precision, line, form: formOf(line) }
  known.set(key, operation)
  return operation
}

export const isConvolution = ({ op }: Pick<Operation, 'op'>): boolean => op.startsWith('conv2d')

function formOf(line: string): string {
  const [op, , attributes, reads, writes] = line.split('\t') as [string, string, string, string, string]
  const shapes = [...reads.split(';'), ...writes.split(';')].map(text => /^\w+:(.*)$/.exec(text)?.[1]?.split(',').map(Number))
  const value = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(attributes)?.[1] ?? ''
  if (op === 'conv2d') {
    const [x, w, bias, residual, y] = shapes
    const fused = [bias && 'bias', residual && 'residual', value('activation') === 'relu' && 'relu'].filter(Boolean)
    return windows(w!, x!, y!, value, fused.join('+'))
  }
  if (op === 'conv2dBwdData') return windows(shapes[1]!, shapes[3]!, shapes[0]!, value, shapes[2] ? 'addend' : '')
  if (op === 'conv2dBwdFilter') return windows(shapes[2]!, shapes[1]!, shapes[0]!, value, '')
  return ''
}

function windows(w: number[], x: number[], y: number[], value: (name: string) => string, fused: string): string {
  const [stride] = JSON.parse(value('stride')) as [number]
  const [dilation] = JSON.parse(value('dilation')) as [number]
  const groups = Number(value('groups'))
  const parts = [`${w[1]}x${w[2]}/${stride}`, `${x.slice(1).join('x')} -> ${y.slice(1).join('x')}`]
  if (dilation > 1) parts.push(`dilation ${dilation}`)
  if (groups > 1) parts.push(`groups ${groups}`)
  if (fused) parts.push(fused)
  return parts.join(' ')
}
