/**
 * The blocks of pre-activation ResNets and Wide ResNets (He et al. 2016; Zagoruyko and Komodakis 2016): batch norm and ReLU
 * come before each convolution, and nothing after the addition. Where the shape changes, the shortcut starts from the
 * activated input, as in the authors' code.
 */
import { add } from '../graph/functions.js'
import type { Tensor } from '../graph/tensor.js'
import { BasicModule } from '../nn/basic_module.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import type { Conv2d } from '../nn/layers/conv2d.js'
import { Dropout } from '../nn/layers/plain.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import type { Module } from '../nn/module.js'
import { conv } from './residual.js'

/** Two 3x3 convolutions. */
export class PreActBasicBlock extends BasicModule {
  /** Before conv1. */
  readonly bn1: BatchNorm2d
  /** After bn1. */
  readonly relu1 = new ReLU()
  /** 3x3, with the block's stride. */
  readonly conv1: Conv2d
  /** Before conv2. */
  readonly bn2: BatchNorm2d
  /** After bn2: what erasing the last ReLU erases. */
  readonly relu2 = new ReLU()
  /** Between relu2 and conv2; undefined: none. */
  readonly dropout: Dropout | undefined
  /** 3x3. */
  readonly conv2: Conv2d
  /** The shortcut, of the activated input; undefined: the block's input itself. */
  readonly downsample: Module | undefined

  constructor(inChannels: number, channels: number, stride: number, downsample?: Module, dropout = 0) {
    super()
    this.bn1 = new BatchNorm2d(inChannels)
    this.conv1 = conv(inChannels, channels, 3, stride)
    this.bn2 = new BatchNorm2d(channels)
    this.dropout = dropout > 0 ? new Dropout(dropout) : undefined
    this.conv2 = conv(channels, channels, 3)
    this.downsample = downsample
  }

  chains(): ReLU[][] {
    return [[this.relu1, this.relu2]]
  }

  forward(x: Tensor): Tensor {
    const activated = this.relu1(this.bn1(x))
    const y = this.relu2(this.bn2(this.conv1(activated)))
    const z = this.conv2(this.dropout ? this.dropout(y) : y)
    return add(z, this.downsample ? this.downsample(activated) : x)
  }
}

/** 1x1, 3x3 and 1x1 convolution; the last has 4 times `channels`. */
export class PreActBottleneck extends BasicModule {
  /** Output channels for each of `channels`. */
  static readonly expansion = 4
  /** Before conv1. */
  readonly bn1: BatchNorm2d
  /** After bn1. */
  readonly relu1 = new ReLU()
  /** 1x1, reduces. */
  readonly conv1: Conv2d
  /** Before conv2. */
  readonly bn2: BatchNorm2d
  /** After bn2. */
  readonly relu2 = new ReLU()
  /** 3x3. */
  readonly conv2: Conv2d
  /** Before conv3. */
  readonly bn3: BatchNorm2d
  /** After bn3: what erasing the last ReLU erases. */
  readonly relu3 = new ReLU()
  /** 1x1, expands. */
  readonly conv3: Conv2d
  /** The shortcut, of the activated input; undefined: the block's input itself. */
  readonly downsample: Module | undefined

  constructor(inChannels: number, channels: number, stride: number, downsample?: Module, strideIn: '3x3' | '1x1' = '3x3') {
    super()
    const inFirst = strideIn === '1x1'
    this.bn1 = new BatchNorm2d(inChannels)
    this.conv1 = conv(inChannels, channels, 1, inFirst ? stride : 1)
    this.bn2 = new BatchNorm2d(channels)
    this.conv2 = conv(channels, channels, 3, inFirst ? 1 : stride)
    this.bn3 = new BatchNorm2d(channels)
    this.conv3 = conv(channels, channels * PreActBottleneck.expansion, 1)
    this.downsample = downsample
  }

  chains(): ReLU[][] {
    return [[this.relu1, this.relu2, this.relu3]]
  }

  forward(x: Tensor): Tensor {
    const activated = this.relu1(this.bn1(x))
    const y = this.relu2(this.bn2(this.conv1(activated)))
    const z = this.conv3(this.relu3(this.bn3(this.conv2(y))))
    return add(z, this.downsample ? this.downsample(activated) : x)
  }
}

/** Blocks of one width: `block` makes one from its input channels, its stride and whether the shape changes in it. */
export function preActStage(
  blocks: number,
  from: number,
  outChannels: number,
  stride: number,
  block: (inChannels: number, stride: number, changes: boolean) => BasicModule,
): Sequential {
  const first = block(from, stride, stride !== 1 || from !== outChannels)
  return new Sequential(first, ...Array.from({ length: blocks - 1 }, () => block(outChannels, 1, false)))
}
