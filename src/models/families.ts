/** The published networks as data: their names, and what each is made of. */
import { BNInception } from './bn_inception.js'
import type { Classifier } from './classifier.js'
import { cifarDenseNet, DenseNet, denseNets } from './densenet.js'
import { PreActResNet } from './preact_resnet.js'
import { CifarPreActResNet } from './preact_resnet_cifar.js'
import { ResNet, resnetDepths, type ResNetVariant } from './resnet.js'
import { CifarResNet } from './resnet_cifar.js'
import { CifarResNeXt } from './resnext_cifar.js'
import { CifarVGG, VGG, vggDepths } from './vgg.js'
import { WideResNet } from './wide_resnet.js'

type Options = Readonly<Record<string, unknown>>
type Named = [name: string, make: (options: Options) => Classifier]

/** Relatives of ResNet with other bottlenecks, under torchvision's names. */
const relatives: [50 | 101, ResNetVariant][] = [
  [50, { name: 'resnext50_32x4d', groups: 32, widthPerGroup: 4 }],
  [101, { name: 'resnext101_32x4d', groups: 32, widthPerGroup: 4 }],
  [101, { name: 'resnext101_32x8d', groups: 32, widthPerGroup: 8 }],
  [101, { name: 'resnext101_64x4d', groups: 64, widthPerGroup: 4 }],
  [50, { name: 'wide_resnet50_2', groups: 1, widthPerGroup: 128 }],
  [101, { name: 'wide_resnet101_2', groups: 1, widthPerGroup: 128 }],
]

const basicDepths = [20, 32, 44, 56, 110]
const bottleneckDepths = [164, 1001]

/** Every model that has a name of its own. */
export const namedModels: readonly Named[] = [
  ...[...basicDepths, 1202].map((depth): Named => [`resnet${depth}`, options => new CifarResNet(depth, options)]),
  ...bottleneckDepths.map((depth): Named => [
    `resnet${depth}`,
    options => new CifarResNet(depth, { block: 'bottleneck', ...options }),
  ]),
  ...resnetDepths.map((depth): Named => [`resnet${depth}`, options => new ResNet(depth, options)]),
  ...basicDepths.map((depth): Named => [`preact_resnet${depth}`, options => new CifarPreActResNet(depth, options)]),
  ...bottleneckDepths.map((depth): Named => [
    `preact_resnet${depth}`,
    options => new CifarPreActResNet(depth, { block: 'bottleneck', ...options }),
  ]),
  ...resnetDepths.map((depth): Named => [`preact_resnet${depth}`, options => new PreActResNet(depth, options)]),
  ...relatives.map(([depth, variant]): Named => [variant.name, options => new ResNet(depth, options, variant)]),
  ...[
    [16, 4],
    [16, 8],
    [28, 10],
    [40, 2],
    [40, 4],
    [40, 8],
    [40, 10],
  ].map(([depth, widen]): Named => [`wrn_${depth}_${widen}`, options => new WideResNet(depth!, widen!, options)]),
  ...[
    [8, 64],
    [16, 64],
    [32, 4],
  ].map(([groups, width]): Named => [`resnext29_${groups}x${width}d`, options => new CifarResNeXt(29, groups!, width!, options)]),
  ...[
    cifarDenseNet(40, 12, false),
    cifarDenseNet(100, 12, false),
    cifarDenseNet(100, 24, false),
    cifarDenseNet(40, 12, true),
    cifarDenseNet(100, 12, true),
    cifarDenseNet(190, 40, true),
    cifarDenseNet(250, 24, true),
    ...denseNets,
  ].map((variant): Named => [variant.name, options => new DenseNet(variant, options)]),
  ['bn_inception', options => new BNInception(options)],
  ...vggDepths.map((depth): Named => [`vgg${depth}_bn`, options => new VGG(depth, options)]),
  ...([16, 19] as const).map((depth): Named => [`vgg${depth}_bn_cifar`, options => new CifarVGG(depth, options)]),
]

/** Models whose names hold numbers of the user's choice. */
export const families: readonly {
  /** How the name is written, for messages. */
  form: string
  /** Its groups are the numbers. */
  pattern: RegExp
  make: (numbers: readonly number[], options: Options) => Classifier
}[] = [
  {
    form: 'wrn_DEPTH_WIDEN',
    pattern: /^wrn_(\d+)_(\d+)$/,
    make: ([depth, widen], options) => new WideResNet(depth!, widen!, options),
  },
  {
    form: 'resnext29_GROUPSxWIDTHd',
    pattern: /^resnext29_(\d+)x(\d+)d$/,
    make: ([groups, width], options) => new CifarResNeXt(29, groups!, width!, options),
  },
  {
    form: 'densenet_DEPTH_GROWTH',
    pattern: /^densenet_(\d+)_(\d+)$/,
    make: ([depth, growth], options) => new DenseNet(cifarDenseNet(depth!, growth!, false), options),
  },
  {
    form: 'densenet_bc_DEPTH_GROWTH',
    pattern: /^densenet_bc_(\d+)_(\d+)$/,
    make: ([depth, growth], options) => new DenseNet(cifarDenseNet(depth!, growth!, true), options),
  },
]
