import type { Parameter } from '../../graph/parameter.js'
import { batchNorm } from '../../graph/functions.js'
import type { Tensor } from '../../graph/tensor.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireNumber } from '../../runtime/options.js'
import { ones, parameter, zeros } from '../init.js'
import { Module } from '../module.js'

/** Options of `BatchNorm2d`. */
export interface BatchNorm2dOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number
  /** Share of the batch in the running statistics, as in PyTorch; default 0.1. */
  momentum?: number
  /** Use the running statistics in training, too, and leave them as they are; default false. */
  frozen?: boolean
}

/**
 * Batch norm (Ioffe and Szegedy 2015) of x [N, H, W, channels] over all but the channels; the shape stays. In training the
 * statistics of the batch, otherwise the running ones. The fields are called as PyTorch calls the parameters.
 */
export class BatchNorm2d extends Module {
  /** Added to the variance. */
  readonly eps: number
  /** Share of the batch in the running statistics. */
  readonly momentum: number
  /** Whether the running statistics are used, and left as they are, in training, too. `freeze()` sets it. */
  frozen: boolean
  /** Scale, [channels]. */
  readonly weight: Parameter
  /** Shift, [channels]. */
  readonly bias: Parameter
  /** Moving average of the batches' means, [channels]. */
  readonly running_mean: Parameter
  /** Moving average of the batches' unbiased variances, [channels]. */
  readonly running_var: Parameter

  constructor(
    /** Of the input, its last dimension. */
    readonly channels: number,
    options: BatchNorm2dOptions = {},
  ) {
    super()
    requireKnownOptions('BatchNorm2d', options, ['eps', 'momentum', 'frozen'])
    const { eps = 1e-5, momentum = 0.1, frozen = false } = options
    requireInteger('BatchNorm2d', 'channels', channels)
    requireNumber('BatchNorm2d', 'eps', eps, 'above 0', v => v > 0)
    requireNumber('BatchNorm2d', 'momentum', momentum, 'in [0, 1]', v => v >= 0 && v <= 1)
    requireBoolean('BatchNorm2d', 'frozen', frozen)
    this.eps = eps
    this.momentum = momentum
    this.frozen = frozen
    this.weight = parameter([channels], 'norm', ones)
    this.bias = parameter([channels], 'norm', zeros)
    this.running_mean = parameter([channels], 'statistic', zeros)
    this.running_var = parameter([channels], 'statistic', ones)
  }

  forward(x: Tensor): Tensor {
    const {
      weight: gamma,
      bias: beta,
      running_mean: runningMean,
      running_var: runningVariance,
      eps: epsilon,
      momentum,
      frozen,
    } = this
    return batchNorm(x, { gamma, beta, runningMean, runningVariance }, { epsilon, momentum, frozen })
  }

  protected override setFrozen(frozen: boolean): void {
    super.setFrozen(frozen)
    this.frozen = frozen
  }

  protected override describe(): string {
    return `${this.channels}, eps=${this.eps}, momentum=${this.momentum}${this.frozen ? ', frozen' : ''}`
  }
}
