/**
 * ResNets for small images (He et al. 2015, section 4.2): a 3x3 convolution and three stages of basic blocks, 6n + 2 layers,
 * or of bottlenecks, 9n + 2 layers (the 164 and 1001 of He et al. 2016, with activations after the addition).
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
import { requireInteger, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import { blocksAStage } from './blocks_a_stage.js'
import { Classifier } from './classifier.js'
import { BasicBlock, Bottleneck, conv, projection } from './residual.js'

/** Options of `CifarResNet`. */
export interface CifarResNetOptions {
  /** Classes to tell apart; default 10. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /** Where the shape changes. 'A' (default, as published): strided pick and zero channels; 'B': 1x1 convolution and batch norm. */
  shortcut?: 'A' | 'B'
  /** Channels of the first stage; the others have 2 and 4 times as many (times 4 with bottlenecks). Default 16. */
  width?: number
  /** What the stages are made of; default 'basic'. */
  block?: 'basic' | 'bottleneck'
}

/** A ResNet for small images, of 6n + 2 layers with basic blocks or 9n + 2 with bottlenecks (He et al. 2015, section 4.2). */
export class CifarResNet extends Classifier {
  readonly imageSize = 32
  /** 3x3. */
  readonly conv1: Conv2d
  /** After conv1. */
  readonly bn1: BatchNorm2d
  /** After bn1; in no block, so it is never erased. */
  readonly relu = new ReLU()
  /** Stage 1: a list of blocks. */
  readonly layer1: Sequential
  /** Stage 2: a list of blocks. */
  readonly layer2: Sequential
  /** Stage 3: a list of blocks. */
  readonly layer3: Sequential
  /** Over the whole image. */
  readonly avgpool = new GlobalAvgPool()
  /** Class scores. */
  readonly fc: Linear

  constructor(depth: number, options: CifarResNetOptions = {}) {
    const name = `resnet${depth}`
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'shortcut', 'width', 'block'])
    const { numClasses = 10, inChannels = 3, shortcut = 'A', width = 16, block = 'basic' } = options
    requireOneOf(name, 'shortcut', shortcut, ['A', 'B'])
    requireOneOf(name, 'block', block, ['basic', 'bottleneck'])
    requireInteger(name, 'width', width)
    const blocks = blocksAStage('CifarResNet', depth, block)
    super(name, inChannels, numClasses, { numClasses, inChannels, shortcut, width, block })
    const Block = block === 'basic' ? BasicBlock : Bottleneck
    const expansion = block === 'basic' ? 1 : Bottleneck.expansion
    const stage = (from: number, channels: number, stride: number): Sequential => {
      const outChannels = channels * expansion
      const changes = stride !== 1 || from !== outChannels
      const fit = () => (shortcut === 'A' ? new ShortcutA(outChannels, stride) : projection(from, outChannels, stride))
      const first = new Block(from, channels, stride, changes ? fit() : undefined)
      return new Sequential(first, ...Array.from({ length: blocks - 1 }, () => new Block(outChannels, channels, 1)))
    }
    this.conv1 = conv(inChannels, width, 3)
    this.bn1 = new BatchNorm2d(width)
    this.layer1 = stage(width, width, 1)
    this.layer2 = stage(width * expansion, 2 * width, 2)
    this.layer3 = stage(2 * width * expansion, 4 * width, 2)
    this.fc = new Linear(4 * width * expansion, numClasses, { init: heNormal('fan-in') })
  }

  forward(x: Tensor): Tensor {
    const y = this.relu(this.bn1(this.conv1(x)))
    return this.fc(this.avgpool(this.layer3(this.layer2(this.layer1(y)))))
  }
}
