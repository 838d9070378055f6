/** The rule table: one entry for every operation; a missing one is a compile error. */
import { InvalidArgument } from '../../runtime/errors.js'
import type { GraphOp } from '../graph.js'
import type { TensorType } from '../tensor.js'
import { convolution } from './convolution.js'
import { elementwise } from './elementwise.js'
import { image } from './image.js'
import { loss } from './loss.js'
import { norm } from './norm.js'
import { pointwise } from './pointwise.js'
import { pooling } from './pooling.js'
import type { Call, Rule } from './rule.js'
import { update } from './update.js'

export const rules: { readonly [Op in GraphOp]: Rule } = {
  ...convolution,
  ...norm,
  ...pooling,
  ...elementwise,
  ...loss,
  ...image,
  ...update,
  pointwise,
}

/** The output types of a call, from its shape rule; `given` fills in or overrides what the rule cannot derive. */
export function outputTypes(call: Call, given: Readonly<Record<string, TensorType>> = {}): Record<string, TensorType> {
  const derived = rules[call.op].shape?.(call)
  if (!derived && Object.keys(given).length === 0)
    throw new InvalidArgument(
      `${call.op}: the shapes of its outputs do not follow from the inputs; give them: { outputs: { … } }`,
    )
  return { ...derived, ...given }
}
