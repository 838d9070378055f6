/**
 * ResNets for small images (He et al. 2015, section 4.2): a 3x3 convolution and three stages of basic blocks, 6n + 2 layers.
 * Names are those of common PyTorch implementations (conv1, bn1, layer1.0.conv1, …); the last layer is called `fc`.
 */
import type { Tensor } from '../graph/tensor.js'
import { heNormal } from '../nn/init.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { ShortcutA } from '../nn/layers/plain.js'
import { GlobalAvgPool } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import { Classifier } from './classifier.js'
import { BasicBlock, conv, projection } from './residual.js'

export interface CifarResNetOptions {
  /** Default 10. */
  numClasses?: number
  /** Default 3. */
  inChannels?: number
  /** Where the shape changes. 'A' (default, as published): strided pick and zero channels; 'B': 1x1 convolution and batch norm. */
  shortcut?: 'A' | 'B'
  /** Channels of the first stage; the others have 2 and 4 times as many. Default 16. */
  width?: number
}

export class CifarResNet extends Classifier {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly relu = new ReLU()
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly avgpool = new GlobalAvgPool()
  readonly fc: Linear

  constructor(depth: number, options: CifarResNetOptions = {}) {
    const name = `resnet${depth}`
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'shortcut', 'width'])
    const { numClasses = 10, inChannels = 3, shortcut = 'A', width = 16 } = options
    requireOneOf(name, 'shortcut', shortcut, ['A', 'B'])
    requireInteger(name, 'width', width)
    const blocks = (depth - 2) / 6
    if (!Number.isInteger(blocks) || blocks < 1) {
      throw new InvalidArgument(`CifarResNet: depth must be 6n + 2 (8, 14, 20, …), got ${depth}`)
    }
    super(name, inChannels, numClasses, { numClasses, inChannels, shortcut, width })
    this.conv1 = conv(inChannels, width, 3)
    this.bn1 = new BatchNorm2d(width)
    this.layer1 = stage(blocks, width, width, shortcut)
    this.layer2 = stage(blocks, width, 2 * width, shortcut)
    this.layer3 = stage(blocks, 2 * width, 4 * width, shortcut)
    this.fc = new Linear(4 * width, numClasses, { init: heNormal('fan-in') })
  }

  forward(x: Tensor): Tensor {
    const y = this.relu(this.bn1(this.conv1(x)))
    return this.fc(this.avgpool(this.layer3(this.layer2(this.layer1(y)))))
  }
}

/** Blocks of the same width; the first halves the image where it has more channels than its input. */
function stage(blocks: number, inChannels: number, channels: number, shortcut: 'A' | 'B'): Sequential {
  const changes = channels !== inChannels
  const downsample = !changes ? undefined : shortcut === 'A' ? new ShortcutA(channels, 2) : projection(inChannels, channels, 2)
  const first = new BasicBlock(inChannels, channels, changes ? 2 : 1, downsample)
  return new Sequential(first, ...Array.from({ length: blocks - 1 }, () => new BasicBlock(channels, channels, 1)))
}
