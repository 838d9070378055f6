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

/** Those that a GPU does not take with a pitch. */
const pitchedOnCpu: Readonly<Partial<Record<GraphOp, string>>> = { add: 'a b y' }

/** Names, separated by spaces; of an operand with '*' without its number. Without a device: what every device takes. */
export const pitchedOperands = (op: GraphOp, device = 'cuda'): string =>
  pitched[op] ?? (device.startsWith('cuda') ? undefined : pitchedOnCpu[op]) ?? ''
