/** Learning-rate schedules: pure functions of the position in the training to the factor on the optimizer's `lr`. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireList, requireNumber, requireOneOf } from '../runtime/options.js'

/** Where a training, or the piece of it that a schedule is for, stands before a step. */
export interface Progress {
  /** Epochs done, with fraction: step / stepsPerEpoch. */
  readonly epoch: number
  /** Steps done. */
  readonly step: number
  /** Steps of the whole training. */
  readonly totalSteps: number
  /** Epochs of the whole training. */
  readonly totalEpochs: number
  /** Optimizer steps of an epoch. */
  readonly stepsPerEpoch: number
}

/** The factor on the optimizer's `lr` for the coming step, at least 0. Any function of this form is a schedule. */
export type Schedule = (at: Progress) => number

/** The same factor all the time; default 1. PyTorch: ConstantLR. */
export function constant(factor = 1): Schedule {
  requireNumber('optim.constant', 'factor', factor, 'of at least 0', value => value >= 0)
  return () => factor
}

/** Times gamma at each of the epochs: multiStep([82, 123], 0.1). PyTorch: MultiStepLR. */
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

/** Times gamma every `epochs` epochs. PyTorch: StepLR. */
export function step(epochs: number, gamma = 0.1): Schedule {
  requireInteger('optim.step', 'epochs', epochs)
  requireGamma('optim.step', gamma)
  return ({ epoch }) => gamma ** Math.floor(epoch / epochs)
}

/** Times gamma every epoch, evenly over its steps: gamma ** epoch. PyTorch's ExponentialLR has the same values at the epochs' starts. */
export function exponential(gamma: number): Schedule {
  requireGamma('optim.exponential', gamma)
  return ({ epoch }) => gamma ** epoch
}

/** Half a cosine from 1 to `end`, a share of the rate (default 0), over the whole training (Loshchilov and Hutter 2017). PyTorch: CosineAnnealingLR. */
export function cosine(options: { end?: number } = {}): Schedule {
  requireKnownOptions('optim.cosine', options, ['end'])
  const { end = 0 } = options
  requireShare('optim.cosine', 'end', end)
  return at => end + ((1 - end) * (1 + Math.cos(Math.PI * done(at)))) / 2
}

/** (1 - share done) to the power, over the whole training; 1 (default) is a straight line to 0. PyTorch: PolynomialLR. */
export function poly(power = 1): Schedule {
  requireNumber('optim.poly', 'power', power, 'above 0', value => value > 0)
  return at => (1 - done(at)) ** power
}

/** Options of `warmup`. */
export interface WarmupOptions {
  /** Factor at the very start; default 0.01. */
  start?: number
  /** From `start` to 1 in a straight line (default), or `start` all the time. */
  mode?: 'linear' | 'constant'
}

/** Lower rates in the first epochs (Goyal et al. 2017), times the factor of `then`. `then` counts from the start of the training, not from the end of the warm-up. */
export function warmup(epochs: number, then: Schedule, options: WarmupOptions = {}): Schedule {
  const where = 'optim.warmup'
  requireKnownOptions(where, options, ['start', 'mode'])
  const { start = 0.01, mode = 'linear' } = options
  requireNumber(where, 'epochs', epochs, 'above 0', value => value > 0)
  requireSchedule(where, 'the second argument', then)
  requireShare(where, 'start', start)
  requireOneOf(where, 'mode', mode, ['linear', 'constant'])
  return at => {
    if (at.epoch >= epochs) return then(at)
    return then(at) * (mode === 'constant' ? start : start + (1 - start) * (at.epoch / epochs))
  }
}

/**
 * One schedule after the other, each for so many epochs and counting from its own start: sequence([[5, warmup(5, constant())],
 * [95, cosine()]]). After the last the training may go on with the last one's final factor. PyTorch: SequentialLR.
 */
export function sequence(pieces: readonly (readonly [epochs: number, schedule: Schedule])[]): Schedule {
  const where = 'optim.sequence'
  requireList(where, 'pieces', pieces, '[epochs, schedule]')
  if (pieces.length === 0) throw new InvalidArgument(`${where}: pieces must hold at least one [epochs, schedule]`)
  let start = 0
  const starts = pieces.map((piece, i) => {
    requireList(where, `pieces[${i}]`, piece, '[epochs, schedule]')
    requireInteger(where, `pieces[${i}][0]`, piece[0])
    requireSchedule(where, `pieces[${i}][1]`, piece[1])
    return (start += piece[0]) - piece[0]
  })
  return ({ epoch, step, stepsPerEpoch }) => {
    const number = starts.findLastIndex(first => epoch >= first)
    const [totalEpochs, schedule] = pieces[number]!
    const totalSteps = totalEpochs * stepsPerEpoch
    const own = Math.min(totalSteps, step - starts[number]! * stepsPerEpoch)
    return schedule({ epoch: own / stepsPerEpoch, step: own, totalSteps, totalEpochs, stepsPerEpoch })
  }
}

/** Several schedules at once: the product of their factors. PyTorch: ChainedScheduler. */
export function chain(...schedules: readonly Schedule[]): Schedule {
  schedules.forEach((schedule, i) => requireSchedule('optim.chain', `argument ${i + 1}`, schedule))
  return at => schedules.reduce((factor, schedule) => factor * schedule(at), 1)
}

const done = ({ step, totalSteps }: Progress) => Math.min(1, step / totalSteps)

function requireSchedule(where: string, name: string, value: unknown): void {
  if (typeof value !== 'function') throw new InvalidArgument(`${where}: ${name} must be a schedule, for example optim.cosine()`)
}

function requireGamma(where: string, gamma: unknown): void {
  requireNumber(where, 'gamma', gamma, 'in (0, 1]', value => value > 0 && value <= 1)
}

function requireShare(where: string, name: string, value: unknown): void {
  requireNumber(where, name, value, 'in [0, 1]', share => share >= 0 && share <= 1)
}
