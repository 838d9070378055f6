/**
 * DenseNets (Huang et al. 2017): each layer reads all channels before it and adds `growth` new ones. Names are torchvision's
 * (features.denseblock1.denselayer1.norm1, …, classifier). A layer is a basic module of EraseReLU; the ReLUs of the stem, of the
 * transitions and before the last pooling are in none.
 */
import { concat } from '../graph/functions.js'
import type { Tensor } from '../graph/tensor.js'
import { BasicModule } from '../nn/basic_module.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { NamedSequential } from '../nn/layers/named_sequential.js'
import { Dropout } from '../nn/layers/plain.js'
import { AvgPool2d, GlobalAvgPool, MaxPool2d } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import type { Module } from '../nn/module.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireNumber } from '../runtime/options.js'
import { Classifier } from './classifier.js'
import { conv } from './residual.js'

/** Options of `DenseNet`. */
export interface DenseNetOptions {
  /** Classes to tell apart; default 10, of the networks for large images 1000. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /** Probability, in [0, 1), that a new channel's value is dropped; default 0. */
  dropout?: number
}

/** What tells one DenseNet from another. */
export interface DenseNetVariant {
  /** The model's name. */
  readonly name: string
  /** Channels that a layer adds. */
  readonly growth: number
  /** Layers of each dense block. */
  readonly layers: readonly number[]
  /** Channels of the first convolution. */
  readonly stem: number
  /** Whether a layer has a 1x1 convolution, to 4 times `growth` channels, before its 3x3. */
  readonly bottleneck: boolean
  /** Whether a transition halves the channels. */
  readonly compression: boolean
  /** For large images: a first convolution of 7x7 with stride 2, batch norm, ReLU and max-pooling. */
  readonly large: boolean
}

/** Of 'densenet_100_12' (plain) or 'densenet_bc_100_12' (bottlenecks, and transitions that halve the channels), for small images. */
export function cifarDenseNet(depth: number, growth: number, bc: boolean): DenseNetVariant {
  const name = `densenet_${bc ? 'bc_' : ''}${depth}_${growth}`
  const layers = (depth - 4) / (bc ? 6 : 3)
  if (!Number.isInteger(layers) || layers < 1)
    throw new InvalidArgument(`${name}: depth must be ${bc ? '6n + 4 (10, 16, 22, …)' : '3n + 4 (7, 10, 13, …)'}, got ${depth}`)
  requireInteger(name, 'growth', growth)
  const stem = bc ? 2 * growth : 16
  return { name, growth, layers: [layers, layers, layers], stem, bottleneck: bc, compression: bc, large: false }
}

/** Batch norm, ReLU, convolution, once or (bottleneck) twice; the new channels are put behind those of the input. */
export class DenseLayer extends BasicModule {
  /** Before conv1. */
  readonly norm1: BatchNorm2d
  /** After norm1. */
  readonly relu1 = new ReLU()
  /** 3x3; of a bottleneck 1x1. */
  readonly conv1: Conv2d
  /** Before conv2; a bottleneck's. */
  readonly norm2: BatchNorm2d | undefined
  /** After norm2: what erasing the last ReLU erases; a bottleneck's. */
  readonly relu2: ReLU | undefined
  /** 3x3; a bottleneck's. */
  readonly conv2: Conv2d | undefined
  /** Of the new channels; undefined: none. */
  readonly dropout: Dropout | undefined

  constructor(inChannels: number, growth: number, bottleneck: boolean, dropout = 0) {
    super()
    this.norm1 = new BatchNorm2d(inChannels)
    this.conv1 = bottleneck ? conv(inChannels, 4 * growth, 1) : conv(inChannels, growth, 3)
    if (bottleneck) {
      this.norm2 = new BatchNorm2d(4 * growth)
      this.relu2 = new ReLU()
      this.conv2 = conv(4 * growth, growth, 3)
    }
    this.dropout = dropout > 0 ? new Dropout(dropout) : undefined
  }

  chains(): ReLU[][] {
    return [this.relu2 ? [this.relu1, this.relu2] : [this.relu1]]
  }

  forward(x: Tensor): Tensor {
    const { norm2, relu2, conv2, dropout } = this
    const y = this.conv1(this.relu1(this.norm1(x)))
    const z = norm2 && relu2 && conv2 ? conv2(relu2(norm2(y))) : y
    return concat([x, dropout ? dropout(z) : z])
  }
}

/** A DenseNet: `new DenseNet(cifarDenseNet(100, 12, true))`, or one of `denseNets`. */
export class DenseNet extends Classifier {
  readonly imageSize: number
  /** All but the classifier: conv0, (norm0, relu0, pool0,) denseblock1, transition1, …, norm5, relu5. */
  readonly features: NamedSequential
  /** Over the whole image. */
  readonly avgpool = new GlobalAvgPool()
  /** Class scores. */
  readonly classifier: Linear

  constructor(variant: DenseNetVariant, options: DenseNetOptions = {}) {
    const { name, growth, layers, stem, bottleneck, compression, large } = variant
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'dropout'])
    const { numClasses = large ? 1000 : 10, inChannels = 3, dropout = 0 } = options
    requireNumber(name, 'dropout', dropout, 'in [0, 1)', value => value >= 0 && value < 1)
    super(name, inChannels, numClasses, { numClasses, inChannels, dropout })
    this.imageSize = large ? 224 : 32

    const features: Record<string, Module> = large
      ? {
          conv0: conv(inChannels, stem, 7, 2),
          norm0: new BatchNorm2d(stem),
          relu0: new ReLU(),
          pool0: new MaxPool2d(3, { stride: 2, padding: 1 }),
        }
      : { conv0: conv(inChannels, stem, 3) }
    let channels = stem
    layers.forEach((count, index) => {
      const block: Record<string, Module> = {}
      for (let i = 1; i <= count; i++, channels += growth)
        block[`denselayer${i}`] = new DenseLayer(channels, growth, bottleneck, dropout)
      features[`denseblock${index + 1}`] = new NamedSequential(block)
      if (index === layers.length - 1) return
      const reduced = compression ? Math.floor(channels / 2) : channels
      features[`transition${index + 1}`] = new NamedSequential({
        norm: new BatchNorm2d(channels),
        relu: new ReLU(),
        conv: conv(channels, reduced, 1),
        pool: new AvgPool2d(2),
      })
      channels = reduced
    })
    features.norm5 = new BatchNorm2d(channels)
    features.relu5 = new ReLU()
    this.features = new NamedSequential(features)
    this.classifier = new Linear(channels, numClasses)
  }

  forward(x: Tensor): Tensor {
    return this.classifier(this.avgpool(this.features(x)))
  }
}

const large = { bottleneck: true, compression: true, large: true }

/** The networks for large images: torchvision's densenet121, densenet161, densenet169, densenet201. */
export const denseNets: readonly DenseNetVariant[] = [
  { name: 'densenet121', growth: 32, layers: [6, 12, 24, 16], stem: 64, ...large },
  { name: 'densenet161', growth: 48, layers: [6, 12, 36, 24], stem: 96, ...large },
  { name: 'densenet169', growth: 32, layers: [6, 12, 32, 32], stem: 64, ...large },
  { name: 'densenet201', growth: 32, layers: [6, 12, 48, 32], stem: 64, ...large },
]
