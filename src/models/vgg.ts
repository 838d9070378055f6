/**
 * VGG with batch norm (Simonyan and Zisserman 2015), with torchvision's names (features.0, …, classifier.6). A basic module of
 * EraseReLU is a group of at least two convolutions between two poolings: erasing the last ReLU of every single convolution would
 * leave a linear network. A group of one convolution (two of VGG-11) is no basic module and keeps its ReLU.
 */
import { avgPool2d, flatten } from '../graph/functions.js'
import type { Tensor } from '../graph/tensor.js'
import { BasicModule } from '../nn/basic_module.js'
import { heNormal, normal } from '../nn/init.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { Dropout } from '../nn/layers/plain.js'
import { GlobalAvgPool, MaxPool2d } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import type { Module } from '../nn/module.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireNumber, requireOneOf } from '../runtime/options.js'
import { Classifier } from './classifier.js'

/** Options of `VGG` and `CifarVGG`. */
export interface VGGOptions {
  /** Classes to tell apart; default 1000, of `CifarVGG` 10. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /** Whether convolutions have a bias before their batch norm, as in torchvision; default true. */
  convBias?: boolean
  /** Channels of the first group; the others have 2, 4, 8 and 8 times as many. Default 64. */
  width?: number
}

/** Convolutions of the five groups, by depth. */
const layouts: Readonly<Record<VGGDepth, readonly number[]>> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
}

/** Layers with weights of the network for large images. */
export type VGGDepth = 11 | 13 | 16 | 19

/** The depths of `VGG`. */
export const vggDepths = Object.keys(layouts).map(Number) as VGGDepth[]

/** The convolutions between two poolings: layers that `features` holds, and names, as well. */
export class VGGGroup extends BasicModule {
  /** Convolution, batch norm and ReLU, one after the other. */
  readonly layers: readonly Module[]

  constructor(layers: readonly Module[]) {
    super()
    this.layers = layers
  }

  chains(): ReLU[][] {
    return [this.layers.filter(layer => layer instanceof ReLU)]
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer(y), x)
  }
}

/** The convolutions of both networks: groups, each of which ends with a max-pooling. */
abstract class VGGFeatures extends Classifier {
  /** All layers before the classifier, numbered as in torchvision. */
  readonly features: Sequential
  /** The groups of at least two convolutions, of layers of `features`. */
  readonly groups: readonly VGGGroup[]

  constructor(name: string, depth: VGGDepth, options: Required<VGGOptions> & Record<string, unknown>) {
    const { inChannels, numClasses, convBias, width } = options
    requireBoolean(name, 'convBias', convBias)
    requireInteger(name, 'width', width)
    super(name, inChannels, numClasses, options)
    const features: Module[] = []
    const groups: VGGGroup[] = []
    let from = inChannels
    layouts[depth].forEach((convolutions, index) => {
      const channels = width * Math.min(2 ** index, 8)
      const layers: Module[] = []
      for (let i = 0; i < convolutions; i++, from = channels) {
        const filter = new Conv2d(from, channels, 3, { padding: 1, bias: convBias, init: heNormal('fan-out') })
        layers.push(filter, new BatchNorm2d(channels), new ReLU())
      }
      features.push(...layers, new MaxPool2d(2))
      if (convolutions > 1) groups.push(new VGGGroup(layers))
    })
    this.features = new Sequential(...features)
    this.groups = groups
  }
}

/** VGG-11, -13, -16 and -19 with batch norm: torchvision's vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn. */
export class VGG extends VGGFeatures {
  readonly imageSize = 224
  /** Height and width of what the classifier reads. */
  readonly headSize: number
  /** 0, 3 and 6 are linear layers, as in torchvision; their ReLUs are in no group and never erased. */
  readonly classifier: Sequential

  /**
   * `headSize`: height and width, after the last pooling, of what the first linear layer reads; default 7, for images of 224. `dropout`:
   * probability, in [0, 1), after the linear layers; default 0.5. Other image sizes must be multiples of 32·headSize: the last map is
   * averaged to headSize.
   */
  constructor(depth: VGGDepth, options: VGGOptions & { headSize?: number; dropout?: number } = {}) {
    const name = `vgg${depth}_bn`
    requireOneOf('VGG', 'depth', String(depth), Object.keys(layouts))
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'convBias', 'width', 'headSize', 'dropout'])
    const { numClasses = 1000, inChannels = 3, convBias = true, width = 64, headSize = 7, dropout = 0.5 } = options
    requireInteger(name, 'headSize', headSize)
    requireNumber(name, 'dropout', dropout, 'in [0, 1)', value => value >= 0 && value < 1)
    super(name, depth, { numClasses, inChannels, convBias, width, headSize, dropout })
    this.headSize = headSize
    const hidden = 64 * width
    const inputShape = [headSize, headSize, 8 * width] as const
    const init = normal(0.01)
    this.classifier = new Sequential(
      new Linear(8 * width * headSize ** 2, hidden, { init, inputShape }),
      new ReLU(),
      new Dropout(dropout),
      new Linear(hidden, hidden, { init }),
      new ReLU(),
      new Dropout(dropout),
      new Linear(hidden, numClasses, { init }),
    )
  }

  /** Images [N, H, W, inChannels] to logits [N, numClasses]. Throws InvalidArgument for sizes that headSize does not divide. */
  forward(x: Tensor): Tensor {
    const y = this.features(x)
    const [, height, width] = y.shape as [number, number, number, number]
    const { headSize } = this
    if (height % headSize !== 0 || width % headSize !== 0)
      throw new InvalidArgument(
        `${this.modelName}: height and width of the images must be multiples of ${32 * headSize} (the option headSize is ${headSize}), got ` +
          `${x.shape[1]}x${x.shape[2]}`,
      )
    const kernel: [number, number] = [height / headSize, width / headSize]
    return this.classifier(flatten(kernel[0] === 1 && kernel[1] === 1 ? y : avgPool2d(y, { kernel })))
  }
}

/** VGG-16 and -19 with batch norm and one linear layer, for small images: 'vgg16_bn_cifar'. */
export class CifarVGG extends VGGFeatures {
  readonly imageSize = 32
  /** Over the whole image. */
  readonly avgpool = new GlobalAvgPool()
  /** Class scores. */
  readonly classifier: Linear

  constructor(depth: VGGDepth, options: VGGOptions = {}) {
    const name = `vgg${depth}_bn_cifar`
    requireOneOf('CifarVGG', 'depth', String(depth), Object.keys(layouts))
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'convBias', 'width'])
    const { numClasses = 10, inChannels = 3, convBias = true, width = 64 } = options
    super(name, depth, { numClasses, inChannels, convBias, width })
    this.classifier = new Linear(8 * width, numClasses)
  }

  /** Images [N, H, W, inChannels] to logits [N, numClasses]. */
  forward(x: Tensor): Tensor {
    return this.classifier(this.avgpool(this.features(x)))
  }
}
