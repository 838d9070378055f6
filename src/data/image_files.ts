/** Image files as training data: what `imageFolder` and `imageNet` give. The images are decoded while the training runs. */
import { availableParallelism } from 'node:os'
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireNumber, requireOneOf } from '../runtime/options.js'
import type { ImagePieces } from '../runtime/image_reader.js'
import type { ImageShape } from './dataset.js'

/** Images with their classes: files, or pieces of files. */
export interface ImageFileSet {
  /** The folder that the paths are relative to. */
  readonly root: string
  /** One name an image: 'train/n01440764/n01440764_18.JPEG'; without `pieces`, the file that it is. */
  readonly names: readonly string[]
  /** Where the images lie in files. */
  readonly pieces?: ImagePieces
  /** One class number a file, 0 … numClasses−1. */
  readonly labels: Int32Array
}

/** How image files are read; lengths in pixels. */
export interface ImageFileOptions {
  /** Side of the square that training sees; default 224. */
  trainCropSize?: number
  /** Side of the centre square that evaluation sees; default 224. */
  valCropSize?: number
  /** What the shorter side is resized to before that, at least valCropSize; default 256. */
  valResizeSize?: number
  /** Smallest and largest share of the image's area that a random crop takes; default [0.08, 1]. */
  scale?: readonly [number, number]
  /** Smallest and largest ratio of its width to its height; default [3/4, 4/3]. */
  ratio?: readonly [number, number]
  /** Mirror training images left to right with probability ½; default true. */
  flip?: boolean
  /**
   * Strengths of random brightness, contrast and saturation of training images, each 0 to 1: factors are uniform in [1 − x, 1 + x].
   * fb.resnet.torch trains with [0.4, 0.4, 0.4]; default [0, 0, 0].
   */
  colorJitter?: readonly [brightness: number, contrast: number, saturation: number]
  /** Standard deviation of random light along ImageNet's principal colours; fb.resnet.torch trains with 0.1. Default 0. */
  lighting?: number
  /** Probability that a rectangle of a training image is erased (Zhong et al. 2017); default 0. */
  randomErasing?: number
  /** Smallest and largest share of the image's area that is erased; default [0.02, 0.33]. */
  erasingScale?: readonly [number, number]
  /** Smallest and largest ratio of its height to its width; default [0.3, 3.3]. */
  erasingRatio?: readonly [number, number]
  /** What is there then: the mean colour, or random bytes; default 'mean'. */
  erasingValue?: 'mean' | 'random'
  /** Threads that decode; default one a processor. The images do not depend on it. */
  workers?: number
  /** Batches that are decoded before they are asked for; default 2. */
  prefetch?: number
  /** Files that may be passed over in an epoch because they cannot be read; default 0: the first one ends the training. */
  maxCorrupt?: number
  /** Per channel, of value/255; default ImageNet's. */
  mean?: readonly number[]
  /** Per channel, of value/255; default ImageNet's. */
  std?: readonly number[]
}

/** Image files as `Trainer` and `evaluate` take them. */
export interface ImageFileSource {
  /** Tells it from other data. */
  readonly kind: 'files'
  /** In messages and run folders. */
  readonly name: string
  /** What is trained on. */
  readonly train: ImageFileSet
  /** What accuracy is measured on, where there is anything. */
  readonly test: ImageFileSet | undefined
  /** Of a training image. */
  readonly shape: ImageShape
  /** Of a test image. */
  readonly testShape: ImageShape
  /** Number of classes. */
  readonly numClasses: number
  /** One name a class. */
  readonly classNames: readonly string[]
  /** Per channel, of value/255. */
  readonly mean: readonly number[]
  /** Per channel, of value/255. */
  readonly std: readonly number[]
  /** How they are read, with all defaults. */
  readonly options: Required<ImageFileOptions>
}

const defaults: Required<ImageFileOptions> = {
  trainCropSize: 224,
  valCropSize: 224,
  valResizeSize: 256,
  scale: [0.08, 1],
  ratio: [3 / 4, 4 / 3],
  flip: true,
  colorJitter: [0, 0, 0],
  lighting: 0,
  randomErasing: 0,
  erasingScale: [0.02, 0.33],
  erasingRatio: [0.3, 3.3],
  erasingValue: 'mean',
  workers: availableParallelism(),
  prefetch: 2,
  maxCorrupt: 0,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
}

/** The names of the options. */
export const imageFileOptionNames = Object.keys(defaults) as (keyof ImageFileOptions)[]

/** With defaults. Throws InvalidArgument that starts with `where` for what cannot be. */
export function checkedImageFileOptions(where: string, given: ImageFileOptions): Required<ImageFileOptions> {
  requireKnownOptions(where, given, imageFileOptionNames)
  const options = { ...defaults, ...given }
  for (const name of ['trainCropSize', 'valCropSize', 'valResizeSize', 'workers', 'prefetch'] as const)
    requireInteger(where, name, options[name])
  requireInteger(where, 'maxCorrupt', options.maxCorrupt, 0)
  requireBoolean(where, 'flip', options.flip)
  if (options.valResizeSize < options.valCropSize)
    throw new InvalidArgument(
      `${where}: valResizeSize ${options.valResizeSize} is smaller than valCropSize ${options.valCropSize}: the crop would not fit`,
    )
  for (const [name, range] of Object.entries(ranges)) checkPair(where, name, options[name as keyof typeof ranges], range)
  const inUnit = (value: number) => value >= 0 && value <= 1
  if (!Array.isArray(options.colorJitter) || options.colorJitter.length !== 3)
    throw new InvalidArgument(`${where}: colorJitter must be [brightness, contrast, saturation], such as [0.4, 0.4, 0.4]`)
  options.colorJitter.forEach((value, i) => requireNumber(where, `colorJitter[${i}]`, value, 'from 0 to 1', inUnit))
  requireNumber(where, 'lighting', options.lighting, 'of at least 0', value => value >= 0 && value < Infinity)
  requireNumber(where, 'randomErasing', options.randomErasing, 'from 0 to 1', inUnit)
  requireOneOf(where, 'erasingValue', options.erasingValue, ['mean', 'random'])
  for (const name of ['mean', 'std'] as const) {
    const { length } = options[name]
    if (length !== 3) throw new InvalidArgument(`${where}: ${name} must have one number a channel (3), got ${length}`)
    options[name].forEach((value, channel) =>
      requireNumber(where, `${name}[${channel}]`, value, name === 'std' ? 'above 0' : '', x => name === 'mean' || x > 0),
    )
  }
  return options
}

/** Pairs of a smallest and a largest number. */
const ranges = { scale: 'in (0, 1]', ratio: 'above 0', erasingScale: 'in (0, 1]', erasingRatio: 'above 0' } as const

function checkPair(where: string, name: string, pair: unknown, range: (typeof ranges)[keyof typeof ranges]): void {
  if (!Array.isArray(pair) || pair.length !== 2) throw new InvalidArgument(`${where}: ${name} must be [smallest, largest]`)
  const [low, high] = pair as [number, number]
  const holds = (value: number) => value > 0 && (range === 'above 0' || value <= 1)
  requireNumber(where, `${name}[0]`, low, range, holds)
  requireNumber(where, `${name}[1]`, high, range, holds)
  if (low > high) throw new InvalidArgument(`${where}: ${name} must be [smallest, largest], got [${low}, ${high}]`)
}

/** The parts put together. */
export function imageFileSource(
  name: string,
  sets: { train: ImageFileSet; test: ImageFileSet | undefined; classNames: readonly string[] },
  options: Required<ImageFileOptions>,
): ImageFileSource {
  const { trainCropSize, valCropSize, mean, std } = options
  return {
    kind: 'files',
    name,
    ...sets,
    shape: [trainCropSize, trainCropSize, 3],
    testShape: [valCropSize, valCropSize, 3],
    numClasses: sets.classNames.length,
    mean,
    std,
    options,
  }
}
