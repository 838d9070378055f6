/** Layers without parameters that only pass on, reshape, pick or drop: Dropout, Flatten, Identity, ShortcutA. */
import { dropout, flatten, shortcutA } from '../../graph/functions.js'
import type { Tensor } from '../../graph/tensor.js'
import { requireInteger, requireNumber } from '../../runtime/options.js'
import { Module } from '../module.js'

/** In training, sets each value to 0 with probability p and divides the others by 1 - p (Srivastava et al. 2014); otherwise the identity. */
export class Dropout extends Module {
  constructor(
    /** Probability of 0, in [0, 1). */
    readonly p = 0.5,
  ) {
    super()
    requireNumber('Dropout', 'p', p, 'in [0, 1)', v => v >= 0 && v < 1)
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p)
  }

  protected override describe(): string {
    return `p=${this.p}`
  }
}

/** [N, …] to [N, everything else], in [H, W, C] order. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    return flatten(x)
  }
}

/** Its input, unchanged: a place to put a layer later. */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x
  }
}

/** The shortcut of CIFAR ResNets without parameters (option A of He et al. 2015): every stride-th pixel, new channels are zero. */
export class ShortcutA extends Module {
  constructor(
    /** Of the output; at least those of the input. */
    readonly channels: number,
    /** In pixels, for both directions. */
    readonly stride: number,
  ) {
    super()
    requireInteger('ShortcutA', 'channels', channels)
    requireInteger('ShortcutA', 'stride', stride)
  }

  forward(x: Tensor): Tensor {
    return shortcutA(x, this.channels, this.stride)
  }

  protected override describe(): string {
    return `${this.channels}, stride=${this.stride}`
  }
}
