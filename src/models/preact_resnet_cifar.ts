/**
 * Pre-activation ResNets for small images (He et al. 2016): a 3x3 convolution, three stages of basic blocks (6n + 2 layers) or
 * bottlenecks (9n + 2 layers), a last batch norm and ReLU.
 */
import type { Tensor } from '../graph/tensor.js'
import { heNormal } from '../nn/init.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { ShortcutA } from '../nn/layers/plain.js'
import { GlobalAvgPool } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import type { Sequential } from '../nn/layers/sequential.js'
import { requireInteger, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import { blocksAStage } from './blocks_a_stage.js'
import { Classifier } from './classifier.js'
import { PreActBasicBlock, PreActBottleneck, preActStage } from './preact.js'
import { conv } from './residual.js'

/** Options of `CifarPreActResNet`. */
export interface CifarPreActResNetOptions {
  /** Classes to tell apart; default 10. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /**
   * Where the shape changes. 'A': strided pick and zero channels (default with basic blocks); 'B': 1x1 convolution, without a batch
   * norm of its own (default with bottlenecks, as in the authors' code).
   */
  shortcut?: 'A' | 'B'
  /** Channels of the first stage; the others have 2 and 4 times as many (times 4 with bottlenecks). Default 16. */
  width?: number
  /** What the stages are made of; default 'basic'. */
  block?: 'basic' | 'bottleneck'
  /** Which convolution of a bottleneck has the stride; default the first 1x1, as in the authors' code. */
  strideIn?: '3x3' | '1x1'
}

/** A pre-activation ResNet for small images, of 6n + 2 layers with basic blocks or 9n + 2 with bottlenecks (He et al. 2016). */
export class CifarPreActResNet extends Classifier {
  readonly imageSize = 32
  /** 3x3. */
  readonly conv1: Conv2d
  /** Stage 1: a list of blocks. */
  readonly layer1: Sequential
  /** Stage 2: a list of blocks. */
  readonly layer2: Sequential
  /** Stage 3: a list of blocks. */
  readonly layer3: Sequential
  /** After the last block. */
  readonly bn: BatchNorm2d
  /** After bn; in no block, so it is never erased. */
  readonly relu = new ReLU()
  /** Over the whole image. */
  readonly avgpool = new GlobalAvgPool()
  /** Class scores. */
  readonly fc: Linear

  constructor(depth: number, options: CifarPreActResNetOptions = {}) {
    const name = `preact_resnet${depth}`
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'shortcut', 'width', 'block', 'strideIn'])
    const { numClasses = 10, inChannels = 3, width = 16, block = 'basic', strideIn = '1x1' } = options
    const { shortcut = block === 'basic' ? 'A' : 'B' } = options
    requireOneOf(name, 'block', block, ['basic', 'bottleneck'])
    requireOneOf(name, 'shortcut', shortcut, ['A', 'B'])
    requireOneOf(name, 'strideIn', strideIn, ['3x3', '1x1'])
    requireInteger(name, 'width', width)
    const blocks = blocksAStage('CifarPreActResNet', depth, block)
    super(name, inChannels, numClasses, { numClasses, inChannels, shortcut, width, block, strideIn })
    const expansion = block === 'basic' ? 1 : PreActBottleneck.expansion
    const stage = (from: number, channels: number, stride: number): Sequential => {
      const outChannels = channels * expansion
      return preActStage(blocks, from, outChannels, stride, (inChannels, stride, changes) => {
        const fit = () => (shortcut === 'A' ? new ShortcutA(outChannels, stride) : conv(inChannels, outChannels, 1, stride))
        const downsample = changes ? fit() : undefined
        return block === 'basic'
          ? new PreActBasicBlock(inChannels, channels, stride, downsample)
          : new PreActBottleneck(inChannels, channels, stride, downsample, strideIn)
      })
    }
    this.conv1 = conv(inChannels, width, 3)
    this.layer1 = stage(width, width, 1)
    this.layer2 = stage(width * expansion, 2 * width, 2)
    this.layer3 = stage(2 * width * expansion, 4 * width, 2)
    this.bn = new BatchNorm2d(4 * width * expansion)
    this.fc = new Linear(4 * width * expansion, numClasses, { init: heNormal('fan-in') })
  }

  forward(x: Tensor): Tensor {
    const y = this.layer3(this.layer2(this.layer1(this.conv1(x))))
    return this.fc(this.avgpool(this.relu(this.bn(y))))
  }
}
