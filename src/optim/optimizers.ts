/** Optimizers as plain data, checked; the trainer turns them into operations of the graph. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireKnownOptions, requireNumber } from '../runtime/options.js'
import { checkedRules, type GroupRule } from './groups.js'

/** What every optimizer has. */
export interface CommonOptions {
  /** Times the weight: added to the gradient (sgd), or times `lr` taken from the weight (adamw). Default 0 (sgd), 0.01 (adamw). */
  weightDecay?: number
  /** For batch-norm scales and shifts; default: weightDecay. */
  normWeightDecay?: number
  /** For biases; default: weightDecay. */
  biasWeightDecay?: number
  /** Exceptions by parameter name; the first that matches counts. */
  groups?: readonly GroupRule[]
}

/** Options of `sgd`. */
export interface SgdOptions extends CommonOptions {
  /** Learning rate, above 0; the schedule multiplies it. */
  lr: number
  /** Share of the last step's velocity that is kept, in [0, 1); default 0. */
  momentum?: number
  /** Look ahead along the velocity; default false. Needs momentum, and no dampening. */
  nesterov?: boolean
  /** Share of the gradient that does not enter the velocity, in [0, 1]; default 0. */
  dampening?: number
}

/** Options of `adamw`. */
export interface AdamWOptions extends CommonOptions {
  /** Learning rate, above 0; the schedule multiplies it. Default 1e-3. */
  lr?: number
  /** Shares of the past in the averages of gradient and squared gradient, in [0, 1); default 0.9 and 0.999. */
  betas?: readonly [number, number]
  /** Added to the root of the squared gradient's average; default 1e-8. */
  eps?: number
}

/** What `sgd` returns, for `Trainer`. */
export type Sgd = {
  /** Tells the optimizers apart. */
  readonly kind: 'sgd'
} & Readonly<Required<SgdOptions>>
/** What `adamw` returns, for `Trainer`. */
export type AdamW = {
  /** Tells the optimizers apart. */
  readonly kind: 'adamw'
} & Readonly<Required<AdamWOptions>>
/** What `Trainer` takes as its optimizer. */
export type Optimizer = Sgd | AdamW

/** A moving average of the weights, for evaluation: ema = decay · ema + (1 - decay) · weights after every step. */
export interface Ema {
  /** Says what it is. */
  readonly kind: 'ema'
  /** Share of the old average, in [0, 1). */
  readonly decay: number
}

const common = ['weightDecay', 'normWeightDecay', 'biasWeightDecay', 'groups']

/**
 * Stochastic gradient descent with momentum, by the formulas of PyTorch's torch.optim.SGD. Throws InvalidArgument for values
 * out of range.
 */
export function sgd(options: SgdOptions): Sgd {
  const where = 'optim.sgd'
  requireKnownOptions(where, options, ['lr', 'momentum', 'nesterov', 'dampening', ...common])
  const { lr, momentum = 0, nesterov = false, dampening = 0 } = options
  requirePositive(where, 'lr', lr)
  requireFraction(where, 'momentum', momentum)
  requireBoolean(where, 'nesterov', nesterov)
  requireNumber(where, 'dampening', dampening, 'in [0, 1]', value => value >= 0 && value <= 1)
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new InvalidArgument(
      `${where}: nesterov needs a momentum above 0 and a dampening of 0, got ${momentum} and ${dampening}`,
    )
  }
  return { kind: 'sgd', lr, momentum, nesterov, dampening, ...checkedCommon(where, options, 0) }
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019), by the formulas of PyTorch's torch.optim.AdamW. Throws
 * InvalidArgument for values out of range.
 */
export function adamw(options: AdamWOptions = {}): AdamW {
  const where = 'optim.adamw'
  requireKnownOptions(where, options, ['lr', 'betas', 'eps', ...common])
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8 } = options
  requirePositive(where, 'lr', lr)
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new InvalidArgument(`${where}: betas must be two numbers, got ${String(betas)}`)
  for (const beta of betas) requireFraction(where, 'betas', beta)
  requirePositive(where, 'eps', eps)
  return { kind: 'adamw', lr, betas, eps, ...checkedCommon(where, options, 0.01) }
}

/** A moving average of weights and running statistics with this decay, in [0, 1): 0.999 looks back about 1000 steps. */
export function ema(decay: number): Ema {
  requireFraction('optim.ema', 'decay', decay)
  return { kind: 'ema', decay }
}

function checkedCommon(where: string, options: CommonOptions, defaultDecay: number): Required<CommonOptions> {
  const { weightDecay = defaultDecay, normWeightDecay = weightDecay, biasWeightDecay = weightDecay, groups = [] } = options
  for (const [name, value] of Object.entries({ weightDecay, normWeightDecay, biasWeightDecay })) {
    requireNumber(where, name, value, 'of at least 0', decay => decay >= 0)
  }
  return { weightDecay, normWeightDecay, biasWeightDecay, groups: checkedRules(where, groups) }
}

function requirePositive(where: string, name: string, value: unknown): void {
  requireNumber(where, name, value, 'above 0', number => number > 0)
}

function requireFraction(where: string, name: string, value: unknown): void {
  requireNumber(where, name, value, 'in [0, 1)', number => number >= 0 && number < 1)
}
