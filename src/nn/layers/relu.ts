import { relu } from '../../graph/functions.js'
import type { Tensor } from '../../graph/tensor.js'
import { Module } from '../module.js'

/** max(x, 0), or x itself when erased; `eraseReLU` sets the flag. */
export class ReLU extends Module {
  /** Whether it passes its input on unchanged. */
  erased = false

  forward(x: Tensor): Tensor {
    return this.erased ? x : relu(x)
  }

  protected override describe(): string {
    return this.erased ? 'erased' : ''
  }
}
