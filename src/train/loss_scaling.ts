/**
 * Dynamic loss scaling, for f16: the loss is multiplied before the backward pass, so that small gradients do not vanish in the
 * type's range. Scale and counters live in the update state, where gradNorm changes them (native/base/optimizer_formulas.h).
 */
import { state as index } from '../runtime/store.js'

/** Where the scale begins: PyTorch's GradScaler has the same. */
export const firstLossScale = 65536
/** Finite steps after which it doubles. */
export const growthInterval = 2000
/** After so many steps in a row that were not finite, a smaller scale will not help. */
export const mostSkippedInARow = 25

/** The update state that a training begins with. */
export function initialState(scaled: boolean): Float32Array {
  const state = new Float32Array(index.size)
  state[index.lossScale] = scaled ? firstLossScale : 1
  state[index.growthInterval] = scaled ? growthInterval : 0
  return state
}

/** A checkpoint's update state for a training that scales its loss or not: another precision starts with a scale of its own. */
export function restoredState(saved: Float32Array, scaled: boolean): Float32Array {
  if (saved[index.growthInterval]! > 0 === scaled) return saved
  const state = saved.slice()
  const fresh = initialState(scaled)
  for (const at of [index.lossScale, index.goodSteps, index.skippedInARow, index.growthInterval]) state[at] = fresh[at]!
  return state
}
