/**
 * ResNets for large images (He et al. 2015), with the layout and names of torchvision: the stride is in the 3x3 convolution
 * of a bottleneck. Each activation is a module of its own (relu1, relu2, relu3). ResNeXt and the wide ResNets for large images
 * are the same network with other bottlenecks (resnext.ts, wide_resnet.ts).
 */
import type { Tensor } from '../graph/tensor.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { GlobalAvgPool, MaxPool2d } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import { requireInteger, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import { Classifier } from './classifier.js'
import { BasicBlock, Bottleneck, conv, projection } from './residual.js'

/** Options of `ResNet`. */
export interface ResNetOptions {
  /** Classes to tell apart; default 1000. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /** Channels of the first stage; the others have 2, 4 and 8 times as many (times 4 with bottlenecks). Default 64. */
  width?: number
  /** Which convolution of a bottleneck has the stride; default the 3x3. The 1x1 is the original of He et al. 2015. */
  strideIn?: '3x3' | '1x1'
}

/** Layers with weights. */
export type ResNetDepth = 18 | 34 | 50 | 101 | 152 | 200

/** How the bottlenecks of a relative of ResNet differ: groups of the 3x3 convolution, and channels a group where ResNet has 64. */
export interface ResNetVariant {
  /** The model's name. */
  readonly name: string
  /** Groups of the 3x3 convolutions. */
  readonly groups: number
  /** Channels a group in the first stage, for a network of width 64. */
  readonly widthPerGroup: number
}

/** Blocks of the four stages, by depth. */
export const layouts: Readonly<Record<ResNetDepth, { bottleneck: boolean; blocks: readonly [number, number, number, number] }>> =
  {
    18: { bottleneck: false, blocks: [2, 2, 2, 2] },
    34: { bottleneck: false, blocks: [3, 4, 6, 3] },
    50: { bottleneck: true, blocks: [3, 4, 6, 3] },
    101: { bottleneck: true, blocks: [3, 4, 23, 3] },
    152: { bottleneck: true, blocks: [3, 8, 36, 3] },
    200: { bottleneck: true, blocks: [3, 24, 36, 3] },
  }

/** The depths of `ResNet`. */
export const resnetDepths = Object.keys(layouts).map(Number) as ResNetDepth[]

/** ResNet-18 to -200 (He et al. 2015): torchvision's resnet18, resnet34, resnet50, resnet101, resnet152. */
export class ResNet extends Classifier {
  readonly imageSize = 224
  /** 7x7, stride 2. */
  readonly conv1: Conv2d
  /** After conv1. */
  readonly bn1: BatchNorm2d
  /** After bn1; in no block, so it is never erased. */
  readonly relu = new ReLU()
  /** 3x3, stride 2. */
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 })
  /** Stage 1: a list of blocks. */
  readonly layer1: Sequential
  /** Stage 2: a list of blocks. */
  readonly layer2: Sequential
  /** Stage 3: a list of blocks. */
  readonly layer3: Sequential
  /** Stage 4: a list of blocks. */
  readonly layer4: Sequential
  /** Over the whole image. */
  readonly avgpool = new GlobalAvgPool()
  /** Class scores. */
  readonly fc: Linear

  constructor(depth: ResNetDepth, options: ResNetOptions = {}, variant?: ResNetVariant) {
    const { name, groups, widthPerGroup } = variant ?? { name: `resnet${depth}`, groups: 1, widthPerGroup: 64 }
    requireOneOf('ResNet', 'depth', String(depth), Object.keys(layouts))
    const { bottleneck, blocks } = layouts[depth]
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'width', ...(bottleneck ? ['strideIn'] : [])])
    const { numClasses = 1000, inChannels = 3, width = 64, strideIn = '3x3' } = options
    requireInteger(name, 'width', width)
    requireOneOf(name, 'strideIn', strideIn, ['3x3', '1x1'])
    super(name, inChannels, numClasses, { numClasses, inChannels, width, ...(bottleneck && { strideIn }) })
    const expansion = bottleneck ? Bottleneck.expansion : 1
    const stage = (index: 0 | 1 | 2 | 3): Sequential => {
      const channels = width * 2 ** index
      const inner = Math.floor((channels * widthPerGroup) / 64) * groups
      const outChannels = channels * expansion
      const block = (from: number, stride: number) => {
        const downsample = stride !== 1 || from !== outChannels ? projection(from, outChannels, stride) : undefined
        return bottleneck
          ? new Bottleneck(from, channels, stride, downsample, { width: inner, groups, strideIn })
          : new BasicBlock(from, channels, stride, downsample)
      }
      const first = index === 0 ? block(width, 1) : block(outChannels / 2, 2)
      return new Sequential(first, ...Array.from({ length: blocks[index] - 1 }, () => block(outChannels, 1)))
    }
    this.conv1 = conv(inChannels, width, 7, 2)
    this.bn1 = new BatchNorm2d(width)
    this.layer1 = stage(0)
    this.layer2 = stage(1)
    this.layer3 = stage(2)
    this.layer4 = stage(3)
    this.fc = new Linear(8 * width * expansion, numClasses)
  }

  forward(x: Tensor): Tensor {
    const y = this.maxpool(this.relu(this.bn1(this.conv1(x))))
    return this.fc(this.avgpool(this.layer4(this.layer3(this.layer2(this.layer1(y))))))
  }
}
