/**
 * ResNeXt-29 for small images (Xie et al. 2017): three stages of three bottlenecks whose 3x3 convolution has groups. `CxWd` is
 * C groups of W channels in the first stage.
 */
import type { Tensor } from '../graph/tensor.js'
import { heNormal } from '../nn/init.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { GlobalAvgPool } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import { requireInteger, requireKnownOptions } from '../runtime/options.js'
import { blocksAStage } from './blocks_a_stage.js'
import { Classifier } from './classifier.js'
import { Bottleneck, conv, projection } from './residual.js'

/** Options of `CifarResNeXt`. */
export interface CifarResNeXtOptions {
  /** Classes to tell apart; default 10. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
}

/** A ResNeXt for small images, of 9n + 2 layers. */
export class CifarResNeXt extends Classifier {
  readonly imageSize = 32
  /** 3x3, 64 channels. */
  readonly conv1: Conv2d
  /** After conv1. */
  readonly bn1 = new BatchNorm2d(64)
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

  /** `groups`: the cardinality. `widthPerGroup`: channels a group in the first stage; doubles from stage to stage. */
  constructor(depth: number, groups: number, widthPerGroup: number, options: CifarResNeXtOptions = {}) {
    const name = `resnext${depth}_${groups}x${widthPerGroup}d`
    requireKnownOptions(name, options, ['numClasses', 'inChannels'])
    const { numClasses = 10, inChannels = 3 } = options
    requireInteger(name, 'groups', groups)
    requireInteger(name, 'widthPerGroup', widthPerGroup)
    const blocks = blocksAStage('CifarResNeXt', depth, 'bottleneck')
    super(name, inChannels, numClasses, { numClasses, inChannels })
    const stage = (from: number, channels: number, stride: number): Sequential => {
      const outChannels = channels * Bottleneck.expansion
      const inner = { groups, width: (channels / 64) * widthPerGroup * groups }
      const first = new Bottleneck(from, channels, stride, projection(from, outChannels, stride), inner)
      const other = () => new Bottleneck(outChannels, channels, 1, undefined, inner)
      return new Sequential(first, ...Array.from({ length: blocks - 1 }, other))
    }
    this.conv1 = conv(inChannels, 64, 3)
    this.layer1 = stage(64, 64, 1)
    this.layer2 = stage(256, 128, 2)
    this.layer3 = stage(512, 256, 2)
    this.fc = new Linear(1024, numClasses, { init: heNormal('fan-in') })
  }

  forward(x: Tensor): Tensor {
    const y = this.relu(this.bn1(this.conv1(x)))
    return this.fc(this.avgpool(this.layer3(this.layer2(this.layer1(y)))))
  }
}
