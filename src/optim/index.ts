/** Optimizers, parameter groups and learning-rate schedules: data and pure functions, no arithmetic on weights. */
export { groupsOf, type Group, type GroupRule, type Grouping } from './groups.js'
export {
  adamw,
  ema,
  sgd,
  type AdamW,
  type AdamWOptions,
  type Ema,
  type Optimizer,
  type Sgd,
  type SgdOptions,
} from './optimizers.js'
export {
  chain,
  constant,
  cosine,
  exponential,
  multiStep,
  poly,
  sequence,
  step,
  warmup,
  type Progress,
  type Schedule,
  type WarmupOptions,
} from './schedules.js'
