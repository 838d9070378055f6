import type { Parameter } from '../../graph/parameter.js'
import { linear } from '../../graph/functions.js'
import type { Tensor } from '../../graph/tensor.js'
import { InvalidArgument } from '../../runtime/errors.js'
import { requireInteger, requireKnownOptions } from '../../runtime/options.js'
import { kaimingUniform, parameter, uniform, zeros, type Init } from '../init.js'
import { Module } from '../module.js'

/** Options of `Linear`. */
export interface LinearOptions {
  /** Whether a number an output is added; default true. */
  bias?: boolean
  /** How the weight is initialised; default kaimingUniform. */
  init?: Init
  /**
   * [height, width, channels] of the map that Flatten made the input of. It changes nothing in what is computed; loadWeights and
   * saveWeights need it, because PyTorch's order of the same columns is [channels, height, width].
   */
  inputShape?: readonly [height: number, width: number, channels: number]
}

/** Fully connected layer: x [N, inFeatures] times the transposed weight, + bias: [N, outFeatures]. */
export class Linear extends Module {
  /** [outFeatures, inFeatures], as in PyTorch. */
  readonly weight: Parameter
  /** [outFeatures]. */
  readonly bias: Parameter | undefined

  constructor(
    /** Values of an input. */
    readonly inFeatures: number,
    /** Values of an output. */
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super()
    requireKnownOptions('Linear', options, ['bias', 'init', 'inputShape'])
    requireInteger('Linear', 'inFeatures', inFeatures)
    requireInteger('Linear', 'outFeatures', outFeatures)
    const { bias = true, init, inputShape } = options
    if (inputShape !== undefined && (inputShape.length !== 3 || inputShape.reduce((a, b) => a * b) !== inFeatures))
      throw new InvalidArgument(
        `Linear: inputShape must be [height, width, channels] with ${inFeatures} values in all, got [${inputShape.join(', ')}]`,
      )
    this.weight = parameter([outFeatures, inFeatures], 'weight', init ?? kaimingUniform, inputShape)
    this.bias = bias ? parameter([outFeatures], 'bias', init ? zeros : uniform(1 / Math.sqrt(inFeatures))) : undefined
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias)
  }

  protected override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias ? '' : ', bias=false'}`
  }
}
