/** Which operands have the type of activations under a 16-bit policy. All others keep theirs. */
import { Internal } from '../../runtime/errors.js'
import type { GraphOp } from '../graph.js'
import { typedOperands } from '../typed_operands.js'

/** They could run in 16 bits, but losses and the like are made of them, which need the range and the digits of f32. */
const inF32: ReadonlySet<GraphOp> = new Set(['pointwise', 'reduce', 'softmaxCrossEntropy', 'fill'])

/** They take floats of any type, whatever the policy. */
const ofAnyType: ReadonlySet<GraphOp> = new Set(['cast', 'reshape', 'sum', 'gradNorm', 'sgdUpdate', 'adamwUpdate'])

/** Operations of the vocabulary, and batchNorm before it is lowered. */
const typed: Readonly<Partial<Record<GraphOp, string>>> = { ...typedOperands, batchNorm: 'x residual y', reshape: '' }

/** Of a float operand: whether it has the activations' type, f32, or any. */
export function operandType(op: GraphOp, operand: string): 'activation' | 'f32' | 'any' {
  const list = typed[op]
  if (list === undefined) throw new Internal(`${op}: no precision is given for this operation (src/graph/typed_operands.ts)`)
  if (ofAnyType.has(op)) return 'any'
  if (inF32.has(op)) return 'f32'
  // All that concat reads has one type, whatever the operands are called.
  return op === 'concat' || list.split(' ').includes(operand) ? 'activation' : 'f32'
}
