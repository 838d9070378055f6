import type { Parameter } from '../../graph/parameter.js'
import { linear } from '../../graph/functions.js'
import type { Tensor } from '../../graph/tensor.js'
import { requireInteger, requireKnownOptions } from '../../runtime/options.js'
import { kaimingUniform, parameter, uniform, zeros, type Init } from '../init.js'
import { Module } from '../module.js'

export interface LinearOptions {
  /** Default true. */
  bias?: boolean
  /** How the weight is initialised; default kaimingUniform. */
  init?: Init
}

/** Fully connected layer: x [N, inFeatures] to [N, outFeatures]. */
export class Linear extends Module {
  readonly weight: Parameter
  readonly bias: Parameter | undefined

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super()
    requireKnownOptions('Linear', options, ['bias', 'init'])
    requireInteger('Linear', 'inFeatures', inFeatures)
    requireInteger('Linear', 'outFeatures', outFeatures)
    const { bias = true, init } = options
    this.weight = parameter([outFeatures, inFeatures], 'weight', init ?? kaimingUniform)
    this.bias = bias ? parameter([outFeatures], 'bias', init ? zeros : uniform(1 / Math.sqrt(inFeatures))) : undefined
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias)
  }

  protected override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias ? '' : ', bias=false'}`
  }
}
