/** The blocks of post-activation ResNets, named as in torchvision, but with a ReLU module for each activation. */
import { add } from '../graph/functions.js'
import type { Tensor } from '../graph/tensor.js'
import { BasicModule } from '../nn/basic_module.js'
import { heNormal } from '../nn/init.js'
import { BatchNorm2d } from '../nn/layers/batch_norm2d.js'
import { Conv2d } from '../nn/layers/conv2d.js'
import { ReLU } from '../nn/layers/relu.js'
import { Sequential } from '../nn/layers/sequential.js'
import type { Module } from '../nn/module.js'

/** A convolution without bias, padded to keep the size, He-initialised by fan-out. */
export function conv(inChannels: number, outChannels: number, kernel: number, stride = 1, groups = 1): Conv2d {
  return new Conv2d(inChannels, outChannels, kernel, {
    stride,
    groups,
    padding: (kernel - 1) / 2,
    bias: false,
    init: heNormal('fan-out'),
  })
}

/** Shortcut B: 1x1 convolution and batch norm. */
export function projection(inChannels: number, outChannels: number, stride: number): Sequential {
  return new Sequential(conv(inChannels, outChannels, 1, stride), new BatchNorm2d(outChannels))
}

/** Two 3x3 convolutions; `downsample` makes the shortcut fit where the shape changes. */
export class BasicBlock extends BasicModule {
  /** 3x3, with the block's stride. */
  readonly conv1: Conv2d
  /** After conv1. */
  readonly bn1: BatchNorm2d
  /** Between the convolutions. */
  readonly relu1 = new ReLU()
  /** 3x3. */
  readonly conv2: Conv2d
  /** After conv2. */
  readonly bn2: BatchNorm2d
  /** The shortcut; undefined: the block's input itself. */
  readonly downsample: Module | undefined
  /** After the addition: what erasing the last ReLU erases. */
  readonly relu2 = new ReLU()

  constructor(inChannels: number, channels: number, stride: number, downsample?: Module) {
    super()
    this.conv1 = conv(inChannels, channels, 3, stride)
    this.bn1 = new BatchNorm2d(channels)
    this.conv2 = conv(channels, channels, 3)
    this.bn2 = new BatchNorm2d(channels)
    this.downsample = downsample
  }

  chains(): ReLU[][] {
    return [[this.relu1, this.relu2]]
  }

  forward(x: Tensor): Tensor {
    const y = this.relu1(this.bn1(this.conv1(x)))
    const z = this.bn2(this.conv2(y))
    return this.relu2(add(z, this.downsample ? this.downsample(x) : x))
  }
}

/** Options of `Bottleneck`; the defaults are ResNet's. */
export interface BottleneckOptions {
  /** Channels of the 3x3 convolution; default: `channels`. */
  width?: number
  /** Groups of the 3x3 convolution (ResNeXt's cardinality); default 1. */
  groups?: number
  /** Which convolution has the block's stride; default the 3x3, as in torchvision. */
  strideIn?: '3x3' | '1x1'
}

/** 1x1, 3x3 and 1x1 convolution; the last has 4 times `channels`. */
export class Bottleneck extends BasicModule {
  /** Output channels for each of `channels`. */
  static readonly expansion = 4
  /** 1x1, reduces. */
  readonly conv1: Conv2d
  /** After conv1. */
  readonly bn1: BatchNorm2d
  /** After bn1. */
  readonly relu1 = new ReLU()
  /** 3x3. */
  readonly conv2: Conv2d
  /** After conv2. */
  readonly bn2: BatchNorm2d
  /** After bn2. */
  readonly relu2 = new ReLU()
  /** 1x1, expands. */
  readonly conv3: Conv2d
  /** After conv3. */
  readonly bn3: BatchNorm2d
  /** The shortcut; undefined: the block's input itself. */
  readonly downsample: Module | undefined
  /** After the addition: what erasing the last ReLU erases. */
  readonly relu3 = new ReLU()

  constructor(inChannels: number, channels: number, stride: number, downsample?: Module, options: BottleneckOptions = {}) {
    super()
    const { width = channels, groups = 1, strideIn = '3x3' } = options
    const outChannels = channels * Bottleneck.expansion
    const inFirst = strideIn === '1x1'
    this.conv1 = conv(inChannels, width, 1, inFirst ? stride : 1)
    this.bn1 = new BatchNorm2d(width)
    this.conv2 = conv(width, width, 3, inFirst ? 1 : stride, groups)
    this.bn2 = new BatchNorm2d(width)
    this.conv3 = conv(width, outChannels, 1)
    this.bn3 = new BatchNorm2d(outChannels)
    this.downsample = downsample
  }

  chains(): ReLU[][] {
    return [[this.relu1, this.relu2, this.relu3]]
  }

  forward(x: Tensor): Tensor {
    const y = this.relu1(this.bn1(this.conv1(x)))
    const z = this.bn3(this.conv3(this.relu2(this.bn2(this.conv2(y)))))
    return this.relu3(add(z, this.downsample ? this.downsample(x) : x))
  }
}
