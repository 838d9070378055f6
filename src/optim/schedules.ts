/** Learning-rate schedules: pure functions of the position in the training to the factor on the optimizer's `lr`. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireList, requireNumber, requireOneOf } from '../runtime/options.js'

/** Where a training stands before a step. */
export interface Progress {
  /** Epochs done, with fraction: step / stepsPerEpoch. */
  readonly epoch: number
  /** Steps done. */
  readonly step: number
  readonly totalSteps: number
  readonly totalEpochs: number
  readonly stepsPerEpoch: number
}

export type Schedule = (at: Progress) => number

export const constant = (): Schedule => () => 1

/** Times gamma at each of the epochs: multiStep([82, 123], 0.1). */
export function multiStep(milestones: readonly number[], gamma = 0.1): Schedule {
  const where = 'optim.multiStep'
  requireList(where, 'milestones', milestones, 'epochs')
  milestones.forEach((milestone, i) => {
    const above = i === 0 ? 0 : milestones[i - 1]!
    requireNumber(where, `milestones[${i}]`, milestone, `above ${above}`, value => value > above)
  })
  requireGamma(where, gamma)
  return ({ epoch }) => gamma ** milestones.filter(milestone => epoch >= milestone).length
}

/** Times gamma every `epochs` epochs. */
export function step(epochs: number, gamma = 0.1): Schedule {
  requireInteger('optim.step', 'epochs', epochs)
  requireGamma('optim.step', gamma)
  return ({ epoch }) => gamma ** Math.floor(epoch / epochs)
}

/** Times gamma every epoch, evenly over its steps. */
export function exponential(gamma: number): Schedule {
  requireGamma('optim.exponential', gamma)
  return ({ epoch }) => gamma ** epoch
}

/** Half a cosine from 1 to `end` over the whole training. */
export function cosine(options: { end?: number } = {}): Schedule {
  requireKnownOptions('optim.cosine', options, ['end'])
  const { end = 0 } = options
  requireShare('optim.cosine', 'end', end)
  return at => end + ((1 - end) * (1 + Math.cos(Math.PI * done(at)))) / 2
}

/** (1 - share done) to the power, over the whole training; 1 is a straight line to 0. */
export function poly(power = 1): Schedule {
  requireNumber('optim.poly', 'power', power, 'above 0', value => value > 0)
  return at => (1 - done(at)) ** power
}

export interface WarmupOptions {
  /** Factor at the very start; default 0.01. */
  start?: number
  /** From `start` to 1 in a straight line (default), or `start` all the time. */
  mode?: 'linear' | 'constant'
}

/** Lower rates in the first epochs. `then` counts from the start of the training, not from the end of the warm-up. */
export function warmup(epochs: number, then: Schedule, options: WarmupOptions = {}): Schedule {
  const where = 'optim.warmup'
  requireKnownOptions(where, options, ['start', 'mode'])
  const { start = 0.01, mode = 'linear' } = options
  requireNumber(where, 'epochs', epochs, 'above 0', value => value > 0)
  if (typeof then !== 'function')
    throw new InvalidArgument(`${where}: the second argument must be a schedule, for example optim.cosine()`)
  requireShare(where, 'start', start)
  requireOneOf(where, 'mode', mode, ['linear', 'constant'])
  return at => {
    if (at.epoch >= epochs) return then(at)
    return then(at) * (mode === 'constant' ? start : start + (1 - start) * (at.epoch / epochs))
  }
}

const done = ({ step, totalSteps }: Progress) => Math.min(1, step / totalSteps)

function requireGamma(where: string, gamma: unknown): void {
  requireNumber(where, 'gamma', gamma, 'in (0, 1]', value => value > 0 && value <= 1)
}

function requireShare(where: string, name: string, value: unknown): void {
  requireNumber(where, name, value, 'in [0, 1]', share => share >= 0 && share <= 1)
}
