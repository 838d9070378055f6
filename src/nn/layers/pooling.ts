/** MaxPool2d, AvgPool2d and GlobalAvgPool. */
import { avgPool2d, globalAvgPool, maxPool2d, type Padding, type Pair } from '../../graph/functions.js'
import type { Tensor } from '../../graph/tensor.js'
import { requireKnownOptions } from '../../runtime/options.js'
import { Module } from '../module.js'
import { size } from './size.js'

/** Options of `MaxPool2d` and `AvgPool2d`. */
export interface PoolLayerOptions {
  /** In pixels; default: the kernel. */
  stride?: Pair
  /** Rows and columns around the image; default 0. */
  padding?: Padding
}

/** Maximum over windows of x [N, H, W, C]: [N, H', W', C]; padding never wins. */
export class MaxPool2d extends Module {
  /** In pixels. */
  readonly stride: Pair
  /** Rows and columns around the image. */
  readonly padding: Padding

  constructor(
    /** Size of the window in pixels. */
    readonly kernel: Pair,
    options: PoolLayerOptions = {},
  ) {
    super()
    requireKnownOptions('MaxPool2d', options, ['stride', 'padding'])
    this.stride = options.stride ?? kernel
    this.padding = options.padding ?? 0
  }

  forward(x: Tensor): Tensor {
    const { kernel, stride, padding } = this
    return maxPool2d(x, { kernel, stride, padding })
  }

  protected override describe(): string {
    return `kernel=${size(this.kernel)}, stride=${size(this.stride)}, padding=${size(this.padding)}`
  }
}

/** Mean over windows of x [N, H, W, C]: [N, H', W', C]. */
export class AvgPool2d extends Module {
  /** In pixels. */
  readonly stride: Pair
  /** Rows and columns around the image. */
  readonly padding: Padding
  /** Whether padding counts, as zeros, in the mean. */
  readonly countIncludePad: boolean

  /** Padding counts in the mean unless `countIncludePad` is false. */
  constructor(
    /** Size of the window in pixels. */
    readonly kernel: Pair,
    options: PoolLayerOptions & { countIncludePad?: boolean } = {},
  ) {
    super()
    requireKnownOptions('AvgPool2d', options, ['stride', 'padding', 'countIncludePad'])
    this.stride = options.stride ?? kernel
    this.padding = options.padding ?? 0
    this.countIncludePad = options.countIncludePad ?? true
  }

  forward(x: Tensor): Tensor {
    const { kernel, stride, padding, countIncludePad } = this
    return avgPool2d(x, { kernel, stride, padding, countIncludePad })
  }

  protected override describe(): string {
    return `kernel=${size(this.kernel)}, stride=${size(this.stride)}, padding=${size(this.padding)}`
  }
}

/** Mean over height and width: [N, H, W, C] to [N, C]. */
export class GlobalAvgPool extends Module {
  forward(x: Tensor): Tensor {
    return globalAvgPool(x)
  }
}
