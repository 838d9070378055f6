/** Wide ResNets for small images (Zagoruyko and Komodakis 2016): pre-activation ResNets of 6n + 4 layers, k times as wide. */
import type { Tensor } from '../graph/tensor.js'
import { heNormal } from '../nn/init.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { GlobalAvgPool } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import type { Sequential } from '../nn/layers/sequential.js'
import { requireInteger, requireKnownOptions, requireNumber } from '../runtime/options.js'
import { blocksAStage } from './blocks_a_stage.js'
import { Classifier } from './classifier.js'
import { PreActBasicBlock, preActStage } from './preact.js'
import { conv } from './residual.js'

/** Options of `WideResNet`. */
export interface WideResNetOptions {
  /** Classes to tell apart; default 10. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /** Probability, in [0, 1), that a value between a block's convolutions is dropped; default 0. */
  dropout?: number
}

/** WRN-depth-k: 'wrn_28_10' is depth 28 and 10 times as wide as ResNet. */
export class WideResNet extends Classifier {
  readonly imageSize = 32
  /** 3x3, 16 channels. */
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

  /** `depth`: 6n + 4. `widen`: k, how many times as wide as ResNet, whose stages have 16, 32 and 64 channels. */
  constructor(depth: number, widen: number, options: WideResNetOptions = {}) {
    const name = `wrn_${depth}_${widen}`
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'dropout'])
    const { numClasses = 10, inChannels = 3, dropout = 0 } = options
    requireInteger(name, 'widen', widen)
    requireNumber(name, 'dropout', dropout, 'in [0, 1)', value => value >= 0 && value < 1)
    const blocks = blocksAStage('WideResNet', depth, 'basic', 4)
    super(name, inChannels, numClasses, { numClasses, inChannels, dropout })
    const stage = (from: number, channels: number, stride: number): Sequential =>
      preActStage(blocks, from, channels, stride, (inChannels, stride, changes) => {
        const downsample = changes ? conv(inChannels, channels, 1, stride) : undefined
        return new PreActBasicBlock(inChannels, channels, stride, downsample, dropout)
      })
    this.conv1 = conv(inChannels, 16, 3)
    this.layer1 = stage(16, 16 * widen, 1)
    this.layer2 = stage(16 * widen, 32 * widen, 2)
    this.layer3 = stage(32 * widen, 64 * widen, 2)
    this.bn = new BatchNorm2d(64 * widen)
    this.fc = new Linear(64 * widen, numClasses, { init: heNormal('fan-in') })
  }

  forward(x: Tensor): Tensor {
    const y = this.layer3(this.layer2(this.layer1(this.conv1(x))))
    return this.fc(this.avgpool(this.relu(this.bn(y))))
  }
}
