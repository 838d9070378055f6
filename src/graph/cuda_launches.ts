/**
 * How many kernels the GPU backend launches for an operation on the whole batch: its own, and one for every execution of a cuDNN
 * graph. A convolution is one graph with its bias, residual, addend and activation, as cuDNN supports it in every network of the
 * registry; where it does not, a kernel of ours is one more. A test compares this with what the simulated GPU counts in the captured
 * graphs of whole training steps.
 */
import type { NodeEntry, PlanDesc } from '../runtime/plan_desc.js'
import { useOf } from './cost.js'
import type { Use } from './rules/rule.js'
import type { OpName } from './vocabulary.js'

/** As in native/cuda/kernels/shape.h. */
const joinedInputs = 32

/** Those that do not make one launch. */
const launches: Partial<Record<OpName, number | ((use: Use) => number)>> = {
  bnStats: 2, // pieces, and their combination
  bnBwdReduce: 2,
  biasBwd: 2,
  batchNormInferBwd: 3, // the two of bnBwdReduce, and dx
  softmaxCrossEntropy: 3, // count, rows, totals
  // The squares of each gradient, and the state.
  gradNorm: ({ reads }) => Object.keys(reads).filter(name => name.startsWith('gradient')).length + 1,
  concat: ({ reads }) => Math.ceil(Object.keys(reads).length / joinedInputs),
}

export function launchesOf(desc: PlanDesc, node: NodeEntry): number {
  const count = launches[node.op as OpName] ?? 1
  return typeof count === 'number' ? count : count(useOf(desc, node))
}
