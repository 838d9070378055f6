/** Optimizers as plain data, checked; the trainer turns them into operations of the graph. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireKnownOptions, requireNumber } from '../runtime/options.js'
import { checkedRules, type GroupRule } from './groups.js'

/** What every optimizer has. */
export interface CommonOptions {
  /** Added to the gradient (sgd) or taken from the weight (adamw), times the weight. */
  weightDecay?: number
  /** For batch-norm scales and shifts; default: weightDecay. */
  normWeightDecay?: number
  /** For biases; default: weightDecay. */
  biasWeightDecay?: number
  /** Exceptions by parameter name; the first that matches counts. */
  groups?: readonly GroupRule[]
}

export interface SgdOptions extends CommonOptions {
  lr: number
  momentum?: number
  nesterov?: boolean
  dampening?: number
}

export interface AdamWOptions extends CommonOptions {
  lr?: number
  betas?: readonly [number, number]
  eps?: number
}

export type Sgd = { readonly kind: 'sgd' } & Readonly<Required<SgdOptions>>
export type AdamW = { readonly kind: 'adamw' } & Readonly<Required<AdamWOptions>>
export type Optimizer = Sgd | AdamW

/** A moving average of the weights, for evaluation: ema = decay · ema + (1 - decay) · weights after every step. */
export interface Ema {
  readonly kind: 'ema'
  readonly decay: number
}

const common = ['weightDecay', 'normWeightDecay', 'biasWeightDecay', 'groups']

/** Stochastic gradient descent, with PyTorch's formulas. Defaults: no momentum, no weight decay. */
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

/** Adam with decoupled weight decay. Defaults: lr 1e-3, betas 0.9 and 0.999, eps 1e-8, weightDecay 0.01. */
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
