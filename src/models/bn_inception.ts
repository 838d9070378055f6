/**
 * BN-Inception, also called Inception-v2 (Ioffe and Szegedy 2015), in the widths of its usual implementation. An Inception module is a
 * basic module of EraseReLU; each of its branches is a chain. Names follow torchvision's GoogLeNet (inception3a.branch2.1.conv, …).
 */
import { concat, maxPool2d } from '../graph/functions.js'
import type { Tensor } from '../graph/tensor.js'
import { BasicModule } from '../nn/basic_module.js'
import { heNormal } from '../nn/init.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { AvgPool2d, GlobalAvgPool, MaxPool2d } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import { Module } from '../nn/module.js'
import { requireBoolean, requireKnownOptions } from '../runtime/options.js'
import { Classifier } from './classifier.js'

/** Options of `BNInception`. */
export interface BNInceptionOptions {
  /** Classes to tell apart; default 1000. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /** Whether convolutions have a bias before their batch norm, as weights converted from Caffe do; default false. */
  convBias?: boolean
}

/** Convolution, batch norm, ReLU. */
export class ConvBNReLU extends Module {
  /** The convolution. */
  readonly conv: Conv2d
  /** After conv. */
  readonly bn: BatchNorm2d
  /** After bn. */
  readonly relu = new ReLU()

  constructor(inChannels: number, outChannels: number, kernel: number, stride: number, bias: boolean) {
    super()
    this.conv = new Conv2d(inChannels, outChannels, kernel, {
      stride,
      padding: (kernel - 1) / 2,
      bias,
      init: heNormal('fan-out'),
    })
    this.bn = new BatchNorm2d(outChannels)
  }

  forward(x: Tensor): Tensor {
    return this.relu(this.bn(this.conv(x)))
  }
}

/** 3x3 with stride 2; a window may reach one pixel past the lower and the right edge (Caffe's rounding of sizes). */
const maxPool = () => new MaxPool2d(3, { stride: 2, padding: [0, 1, 0, 1] })

/**
 * 3x3 with stride 2, beside 3x3 convolutions of stride 2, whose maps have ceil(size / 2) rows and columns. Along an even side as maxPool();
 * along an odd one, where that would give a row less and the original network fails, with a pixel of padding on either side.
 */
class ReductionPool extends Module {
  forward(x: Tensor): Tensor {
    const [, height, width] = x.shape as [number, number, number, number]
    const before = (size: number) => size % 2
    return maxPool2d(x, { kernel: 3, stride: 2, padding: [before(height), 1, before(width), 1] })
  }
}

/** What a module of the network is made of: channels, in the order of the paper's table. */
export interface InceptionVariant {
  /** Of the 1x1 branch; 0: the module has none, and stride 2. */
  readonly one: number
  /** Of the 3x3 branch: reduced, then 3x3. */
  readonly three: readonly [number, number]
  /** Of the double 3x3 branch: reduced, then 3x3 and 3x3. */
  readonly double: readonly [number, number]
  /** Of the pooling branch; 0: it passes on what it has pooled. */
  readonly pool: number
  /** What the pooling branch computes. */
  readonly pooling: 'average' | 'max'
}

/** An Inception module: branches of 1x1, 3x3 and twice 3x3 convolutions, and one that pools, side by side. */
export class Inception extends BasicModule {
  /** 1x1; undefined in a module of stride 2. */
  readonly branch1: ConvBNReLU | undefined
  /** 1x1, 3x3. */
  readonly branch2: Sequential
  /** 1x1, 3x3, 3x3. */
  readonly branch3: Sequential
  /** Pooling, 1x1 (not in a module of stride 2). */
  readonly branch4: Sequential
  /** Of the output. */
  readonly channels: number

  constructor(inChannels: number, variant: InceptionVariant, bias: boolean) {
    super()
    const { one, three, double, pool, pooling } = variant
    const stride = one === 0 ? 2 : 1
    const layer = (from: number, to: number, kernel: number, stride = 1) => new ConvBNReLU(from, to, kernel, stride, bias)
    this.branch1 = one === 0 ? undefined : layer(inChannels, one, 1)
    this.branch2 = new Sequential(layer(inChannels, three[0], 1), layer(three[0], three[1], 3, stride))
    const [reduced, last] = double
    this.branch3 = new Sequential(layer(inChannels, reduced, 1), layer(reduced, last, 3), layer(last, last, 3, stride))
    if (stride === 2) this.branch4 = new Sequential(new ReductionPool())
    else {
      const window = { stride: 1, padding: 1 }
      this.branch4 = new Sequential(
        pooling === 'max' ? new MaxPool2d(3, window) : new AvgPool2d(3, window),
        layer(inChannels, pool, 1),
      )
    }
    this.channels = one + three[1] + last + (pool || inChannels)
  }

  chains(): ReLU[][] {
    const relus = (branch: Module) => Array.from(branch.namedModules(), ([, module]) => module).filter(m => m instanceof ReLU)
    return this.branches()
      .map(relus)
      .filter(chain => chain.length > 0)
  }

  forward(x: Tensor): Tensor {
    return concat(this.branches().map(branch => branch(x)))
  }

  private branches(): Module[] {
    return [...(this.branch1 ? [this.branch1] : []), this.branch2, this.branch3, this.branch4]
  }
}

const average = 'average'
const max = 'max'
const variants = {
  inception3a: { one: 64, three: [64, 64], double: [64, 96], pool: 32, pooling: average },
  inception3b: { one: 64, three: [64, 96], double: [64, 96], pool: 64, pooling: average },
  inception3c: { one: 0, three: [128, 160], double: [64, 96], pool: 0, pooling: max },
  inception4a: { one: 224, three: [64, 96], double: [96, 128], pool: 128, pooling: average },
  inception4b: { one: 192, three: [96, 128], double: [96, 128], pool: 128, pooling: average },
  inception4c: { one: 160, three: [128, 160], double: [128, 160], pool: 128, pooling: average },
  inception4d: { one: 96, three: [128, 192], double: [160, 192], pool: 128, pooling: average },
  inception4e: { one: 0, three: [128, 192], double: [192, 256], pool: 0, pooling: max },
  inception5a: { one: 352, three: [192, 320], double: [160, 224], pool: 128, pooling: average },
  inception5b: { one: 352, three: [192, 320], double: [192, 224], pool: 128, pooling: max },
} as const satisfies Record<string, InceptionVariant>

/** BN-Inception (Ioffe and Szegedy 2015). */
export class BNInception extends Classifier {
  readonly imageSize = 224
  /** 7x7, stride 2; its ReLU, like those of conv2 and conv3, is in no Inception module and never erased. */
  readonly conv1: ConvBNReLU
  /** 3x3, stride 2. */
  readonly maxpool1 = maxPool()
  /** 1x1. */
  readonly conv2: ConvBNReLU
  /** 3x3. */
  readonly conv3: ConvBNReLU
  /** 3x3, stride 2. */
  readonly maxpool2 = maxPool()
  /** Height and width 28 for images of 224. */
  readonly inception3a: Inception
  /** As inception3a. */
  readonly inception3b: Inception
  /** Stride 2. */
  readonly inception3c: Inception
  /** Height and width 14. */
  readonly inception4a: Inception
  /** As inception4a. */
  readonly inception4b: Inception
  /** As inception4a. */
  readonly inception4c: Inception
  /** As inception4a. */
  readonly inception4d: Inception
  /** Stride 2. */
  readonly inception4e: Inception
  /** Height and width 7. */
  readonly inception5a: Inception
  /** As inception5a. */
  readonly inception5b: Inception
  /** Over the whole image. */
  readonly avgpool = new GlobalAvgPool()
  /** Class scores. */
  readonly fc: Linear

  constructor(options: BNInceptionOptions = {}) {
    requireKnownOptions('bn_inception', options, ['numClasses', 'inChannels', 'convBias'])
    const { numClasses = 1000, inChannels = 3, convBias = false } = options
    requireBoolean('bn_inception', 'convBias', convBias)
    super('bn_inception', inChannels, numClasses, { numClasses, inChannels, convBias })
    let channels = 192
    const next = (variant: InceptionVariant) => {
      const made = new Inception(channels, variant, convBias)
      channels = made.channels
      return made
    }
    this.conv1 = new ConvBNReLU(inChannels, 64, 7, 2, convBias)
    this.conv2 = new ConvBNReLU(64, 64, 1, 1, convBias)
    this.conv3 = new ConvBNReLU(64, 192, 3, 1, convBias)
    this.inception3a = next(variants.inception3a)
    this.inception3b = next(variants.inception3b)
    this.inception3c = next(variants.inception3c)
    this.inception4a = next(variants.inception4a)
    this.inception4b = next(variants.inception4b)
    this.inception4c = next(variants.inception4c)
    this.inception4d = next(variants.inception4d)
    this.inception4e = next(variants.inception4e)
    this.inception5a = next(variants.inception5a)
    this.inception5b = next(variants.inception5b)
    this.fc = new Linear(channels, numClasses)
  }

  forward(x: Tensor): Tensor {
    const y = this.maxpool2(this.conv3(this.conv2(this.maxpool1(this.conv1(x)))))
    const modules = [
      this.inception3a,
      this.inception3b,
      this.inception3c,
      this.inception4a,
      this.inception4b,
      this.inception4c,
      this.inception4d,
      this.inception4e,
      this.inception5a,
      this.inception5b,
    ]
    return this.fc(this.avgpool(modules.reduce((z, module) => module(z), y)))
  }
}
