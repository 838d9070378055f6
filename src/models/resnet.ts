/**
 * ResNet-18, -34 and -50 for large images (He et al. 2015), with the layout and names of torchvision: the stride is in the
 * 3x3 convolution of a bottleneck. Each activation is a module of its own (relu1, relu2, relu3).
 */
import type { Tensor } from '../graph/tensor.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Linear } from '../nn/layers/linear.js'
import { GlobalAvgPool, MaxPool2d } from '../nn/layers/pooling.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import { requireKnownOptions } from '../runtime/options.js'
import { Classifier } from './classifier.js'
import { BasicBlock, Bottleneck, conv, projection } from './residual.js'

export interface ResNetOptions {
  /** Default 1000. */
  numClasses?: number
  /** Default 3. */
  inChannels?: number
}

export type ResNetDepth = 18 | 34 | 50

const layouts = {
  18: { bottleneck: false, blocks: [2, 2, 2, 2] },
  34: { bottleneck: false, blocks: [3, 4, 6, 3] },
  50: { bottleneck: true, blocks: [3, 4, 6, 3] },
} as const

export class ResNet extends Classifier {
  readonly conv1: Conv2d
  readonly bn1 = new BatchNorm2d(64)
  readonly relu = new ReLU()
  readonly maxpool = new MaxPool2d(3, { stride: 2, padding: 1 })
  readonly layer1: Sequential
  readonly layer2: Sequential
  readonly layer3: Sequential
  readonly layer4: Sequential
  readonly avgpool = new GlobalAvgPool()
  readonly fc: Linear

  constructor(depth: ResNetDepth, options: ResNetOptions = {}) {
    const name = `resnet${depth}`
    requireKnownOptions(name, options, ['numClasses', 'inChannels'])
    const { numClasses = 1000, inChannels = 3 } = options
    super(name, inChannels, numClasses, { numClasses, inChannels })
    const { bottleneck, blocks } = layouts[depth]
    const expansion = bottleneck ? Bottleneck.expansion : 1
    this.conv1 = conv(inChannels, 64, 7, 2)
    this.layer1 = stage(bottleneck, blocks[0], 64, 64, 1)
    this.layer2 = stage(bottleneck, blocks[1], 64 * expansion, 128, 2)
    this.layer3 = stage(bottleneck, blocks[2], 128 * expansion, 256, 2)
    this.layer4 = stage(bottleneck, blocks[3], 256 * expansion, 512, 2)
    this.fc = new Linear(512 * expansion, numClasses)
  }

  forward(x: Tensor): Tensor {
    const y = this.maxpool(this.relu(this.bn1(this.conv1(x))))
    return this.fc(this.avgpool(this.layer4(this.layer3(this.layer2(this.layer1(y))))))
  }
}

/** Blocks of the same width; the first has the stride, and a projection where the shape changes. */
function stage(bottleneck: boolean, blocks: number, inChannels: number, channels: number, stride: number): Sequential {
  const Block = bottleneck ? Bottleneck : BasicBlock
  const outChannels = bottleneck ? channels * Bottleneck.expansion : channels
  const changes = stride !== 1 || inChannels !== outChannels
  const first = new Block(inChannels, channels, stride, changes ? projection(inChannels, outChannels, stride) : undefined)
  return new Sequential(first, ...Array.from({ length: blocks - 1 }, () => new Block(outChannels, channels, 1)))
}
