/**
 * Operands that may have a pixel pitch, that is, be some of the channels of a wider tensor: word by word as in
 * native/plan/op_checks_pitch.cc. All other operands are dense.
 */
import type { GraphOp } from './graph.js'

const pitched: Readonly<Partial<Record<GraphOp, string>>> = {
  bnStats: 'x',
  bnApply: 'x',
  bnBwdReduce: 'x',
  bnBwdApply: 'x',
  batchNormInfer: 'x',
  batchNormInferBwd: 'x',
  concat: 'x y',
  slice: 'x',
}

/** Names, separated by spaces; of an operand with '*' without its number. */
export const pitchedOperands = (op: GraphOp): string => pitched[op] ?? ''
