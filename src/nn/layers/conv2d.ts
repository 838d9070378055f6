import type { Parameter } from '../../graph/parameter.js'
import { conv2d, type Padding, type Pair } from '../../graph/functions.js'
import type { Tensor } from '../../graph/tensor.js'
import { InvalidArgument } from '../../runtime/errors.js'
import { requireInteger, requireKnownOptions } from '../../runtime/options.js'
import { fanIn, kaimingUniform, parameter, uniform, type Init } from '../init.js'
import { Module } from '../module.js'
import { size } from './size.js'

/** Options of `Conv2d`. */
export interface Conv2dLayerOptions {
  /** In pixels; default 1. */
  stride?: Pair
  /** Rows and columns of zeros around the image; default 0. */
  padding?: Padding
  /** Distance between neighbouring taps of the filter in pixels; default 1. */
  dilation?: Pair
  /** Groups of channels that do not see one another; both channel counts must be divisible by it. Default 1. */
  groups?: number
  /** Whether a number a channel is added; default true. */
  bias?: boolean
  /** How the filter is initialised; default kaimingUniform. */
  init?: Init
}

/**
 * Convolution (cross-correlation, as in PyTorch) of x [N, H, W, inChannels]: [N, H', W', outChannels] with
 * H' = floor((H + padding - dilation·(R-1) - 1) / stride) + 1. Throws InvalidArgument for options that do not fit together.
 */
export class Conv2d extends Module {
  /** In pixels. */
  readonly stride: Pair
  /** Rows and columns of zeros around the image. */
  readonly padding: Padding
  /** Distance between neighbouring taps in pixels. */
  readonly dilation: Pair
  /** Groups of channels. */
  readonly groups: number
  /** [outChannels, R, S, inChannels/groups]; PyTorch has [outChannels, inChannels/groups, R, S]. */
  readonly weight: Parameter
  /** [outChannels]. */
  readonly bias: Parameter | undefined

  constructor(
    /** Channels of the input. */
    readonly inChannels: number,
    /** Channels of the output: the number of filters. */
    readonly outChannels: number,
    /** Size of a filter in pixels, R x S. */
    readonly kernel: Pair,
    options: Conv2dLayerOptions = {},
  ) {
    super()
    requireKnownOptions('Conv2d', options, ['stride', 'padding', 'dilation', 'groups', 'bias', 'init'])
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, init = kaimingUniform } = options
    const [height, width] = typeof kernel === 'number' ? [kernel, kernel] : kernel
    for (const [name, value] of Object.entries({
      inChannels,
      outChannels,
      'kernel height': height,
      'kernel width': width,
      groups,
    })) {
      requireInteger('Conv2d', name, value)
    }
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new InvalidArgument(
        `Conv2d: ${inChannels} input and ${outChannels} output channels are not divisible by ${groups} groups`,
      )
    }
    this.stride = stride
    this.padding = padding
    this.dilation = dilation
    this.groups = groups
    this.weight = parameter([outChannels, height, width, inChannels / groups], 'weight', init)
    this.bias = bias ? parameter([outChannels], 'bias', uniform(1 / Math.sqrt(fanIn(this.weight.shape)))) : undefined
  }

  forward(x: Tensor): Tensor {
    const { bias, stride, padding, dilation, groups } = this
    return conv2d(x, this.weight, { bias, stride, padding, dilation, groups })
  }

  protected override describe(): string {
    const { inChannels, outChannels, stride, padding, dilation, groups, bias } = this
    const parts = [inChannels, outChannels, `kernel=${size(this.kernel)}`, `stride=${size(stride)}`]
    if (size(padding) !== '0x0') parts.push(`padding=${size(padding)}`)
    if (size(dilation) !== '1x1') parts.push(`dilation=${size(dilation)}`)
    if (groups !== 1) parts.push(`groups=${groups}`)
    if (!bias) parts.push('bias=false')
    return parts.join(', ')
  }
}
