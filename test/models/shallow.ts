/** One or two shallow, narrow networks of each family, for tests that run or plan them. */
import type { EraseOptions } from '../../src/erase.js'
import type { ModelOptions } from '../../src/models/index.js'

export interface Shallow {
  readonly name: string
  readonly options: ModelOptions
  /** Height and width of images. */
  readonly size: number
  /** Where the plain rule would leave modules linear. */
  readonly erase?: EraseOptions
}

/** A bias in front of a batch norm has no gradient but rounding, so VGG is without. */
const narrowVgg = { width: 8, convBias: false }

export const shallow: readonly Shallow[] = [
  { name: 'resnet20', options: {}, size: 16 },
  { name: 'resnet56', options: {}, size: 16 },
  { name: 'resnet164', options: { width: 4, shortcut: 'B' }, size: 16 },
  { name: 'resnet18', options: { width: 16 }, size: 32 },
  { name: 'resnet50', options: {}, size: 32 },
  { name: 'preact_resnet20', options: {}, size: 16 },
  { name: 'preact_resnet164', options: { width: 4 }, size: 16 },
  { name: 'preact_resnet18', options: { width: 16 }, size: 32 },
  { name: 'preact_resnet50', options: { width: 16 }, size: 32 },
  { name: 'wrn_16_2', options: { dropout: 0.3 }, size: 16 },
  { name: 'wide_resnet50_2', options: { width: 16 }, size: 32 },
  { name: 'resnext29_4x8d', options: {}, size: 16 },
  { name: 'resnext50_32x4d', options: { width: 32 }, size: 32 },
  { name: 'densenet_bc_22_6', options: { dropout: 0.2 }, size: 16 },
  { name: 'densenet_22_6', options: {}, size: 16, erase: { proportion: 0.5, allowLinear: true } },
  { name: 'densenet121', options: {}, size: 32 },
  { name: 'bn_inception', options: {}, size: 32 },
  { name: 'vgg11_bn', options: { ...narrowVgg, headSize: 1 }, size: 32 },
  { name: 'vgg16_bn_cifar', options: narrowVgg, size: 32 },
]
