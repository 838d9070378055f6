/**
 * Pre-activation ResNets for large images (He et al. 2016), in the depths of ResNet. A batch norm and a ReLU follow the first
 * convolution and the last stage; they are in no block.
 */
import type { Tensor } from '../graph/tensor.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { GlobalAvgPool, MaxPool2d } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import type { Sequential } from '../nn/layers/sequential.js'
import { requireInteger, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import { Classifier } from './classifier.js'
import { PreActBasicBlock, PreActBottleneck, preActStage } from './preact.js'
import { conv } from './residual.js'
import { layouts, type ResNetDepth, type ResNetOptions } from './resnet.js'

/** Pre-activation ResNet-18 to -200 (He et al. 2016). */
export class PreActResNet extends Classifier {
  readonly imageSize = 224
  /** 7x7, stride 2. */
  readonly conv1: Conv2d
  /** After conv1. */
  readonly bn1: BatchNorm2d
  /** After bn1; in no block, so it is never erased. */
  readonly relu1 = new ReLU()
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
  /** After the last block. */
  readonly bn2: BatchNorm2d
  /** After bn2; in no block, so it is never erased. */
  readonly relu2 = new ReLU()
  /** Over the whole image. */
  readonly avgpool = new GlobalAvgPool()
  /** Class scores. */
  readonly fc: Linear

  constructor(depth: ResNetDepth, options: ResNetOptions = {}) {
    const name = `preact_resnet${depth}`
    requireOneOf('PreActResNet', 'depth', String(depth), Object.keys(layouts))
    const { bottleneck, blocks } = layouts[depth]
    requireKnownOptions(name, options, ['numClasses', 'inChannels', 'width', ...(bottleneck ? ['strideIn'] : [])])
    const { numClasses = 1000, inChannels = 3, width = 64, strideIn = '3x3' } = options
    requireInteger(name, 'width', width)
    requireOneOf(name, 'strideIn', strideIn, ['3x3', '1x1'])
    super(name, inChannels, numClasses, { numClasses, inChannels, width, ...(bottleneck && { strideIn }) })
    const expansion = bottleneck ? PreActBottleneck.expansion : 1
    const stage = (index: 0 | 1 | 2 | 3): Sequential => {
      const channels = width * 2 ** index
      const outChannels = channels * expansion
      const [from, stride] = index === 0 ? [width, 1] : [outChannels / 2, 2]
      return preActStage(blocks[index], from, outChannels, stride, (inChannels, stride, changes) => {
        const downsample = changes ? conv(inChannels, outChannels, 1, stride) : undefined
        return bottleneck
          ? new PreActBottleneck(inChannels, channels, stride, downsample, strideIn)
          : new PreActBasicBlock(inChannels, channels, stride, downsample)
      })
    }
    this.conv1 = conv(inChannels, width, 7, 2)
    this.bn1 = new BatchNorm2d(width)
    this.layer1 = stage(0)
    this.layer2 = stage(1)
    this.layer3 = stage(2)
    this.layer4 = stage(3)
    this.bn2 = new BatchNorm2d(8 * width * expansion)
    this.fc = new Linear(8 * width * expansion, numClasses)
  }

  forward(x: Tensor): Tensor {
    const y = this.maxpool(this.relu1(this.bn1(this.conv1(x))))
    const z = this.layer4(this.layer3(this.layer2(this.layer1(y))))
    return this.fc(this.avgpool(this.relu2(this.bn2(z))))
  }
}
