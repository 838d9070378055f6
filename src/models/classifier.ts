import type { Tensor } from '../graph/tensor.js'
import { Module } from '../nn/module.js'
import { requireInteger } from '../runtime/options.js'

/** A model of the registry: images [N, H, W, inChannels] to logits [N, numClasses]. */
export abstract class Classifier extends Module {
  /** The options it was made with, for messages and run folders. */
  readonly options: Readonly<Record<string, unknown>>
  /** Height and width in pixels of the images it was designed for; others work too. */
  abstract readonly imageSize: number

  constructor(
    /** Its name in the registry: 'resnet20'. */
    readonly modelName: string,
    /** Channels of an image. */
    readonly inChannels: number,
    /** Classes it tells apart. */
    readonly numClasses: number,
    options: object,
  ) {
    super()
    requireInteger(modelName, 'inChannels', inChannels)
    requireInteger(modelName, 'numClasses', numClasses)
    this.options = { ...options }
  }

  abstract override forward(x: Tensor): Tensor
}
