/** What a data set is: images as bytes in one NHWC block, labels, and how training looks at them. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireNumber, requireOneOf } from '../runtime/options.js'

/** Of one image, in pixels and numbers a pixel. */
export type ImageShape = readonly [height: number, width: number, channels: number]

/** Images as bytes with their labels. */
export interface ImageDataset {
  /** In messages and run folders. */
  readonly name: string
  /** All images, [size, height, width, channels]. */
  readonly images: Uint8Array
  /** One class number an image, 0 … numClasses−1. */
  readonly labels: Int32Array
  /** Of every image. */
  readonly shape: ImageShape
  /** Number of classes. */
  readonly numClasses: number
  /** One name a class, where they have names. */
  readonly classNames?: readonly string[]
  /** Number of images. */
  readonly size: number
}

/** Random changes to training images. The words are those of `gatherImages` in docs/vocabulary.md. */
export interface Augment {
  /** Pixels added on every side before a crop of the original size is taken at random; 0: no crop. */
  readonly pad: number
  /** What the added pixels are: 0 (black), or the image mirrored at its edge. */
  readonly padMode: 'zero' | 'reflect'
  /** Mirror left to right with probability ½. */
  readonly flip: boolean
  /** Side length of a square set to the mean at random; 0: none. */
  readonly cutout: number
  /** Probability that a rectangle is set to the mean: 2 to 33 % of the area, 0.3 to 3.3 times as high as wide (Zhong et al. 2017). */
  readonly randomErasing: number
}

/** Every image as it is. */
export const noAugment: Augment = { pad: 0, padMode: 'zero', flip: false, cutout: 0, randomErasing: 0 }

/** What `Trainer` trains on: training and test images, and how they are normalised: (value/255 - mean) / std. */
export interface DataSource {
  /** In messages and run folders. */
  readonly name: string
  /** What is trained on; at least one image. */
  readonly train: ImageDataset
  /** What accuracy is measured on; of size 0 where the caller gave none. */
  readonly test: ImageDataset
  /** Per channel, of value/255 over the training images. */
  readonly mean: readonly number[]
  /** Per channel, of value/255 over the training images, above 0. */
  readonly std: readonly number[]
  /** Random changes to the training images. */
  readonly augment: Augment
}

/** Mean and standard deviation of value/255, per channel. */
export function channelStatistics({ images, shape }: Pick<ImageDataset, 'images' | 'shape'>): { mean: number[]; std: number[] } {
  const channels = shape[2]
  const histograms = Array.from({ length: channels }, () => new Float64Array(256))
  for (let channel = 0; channel < channels; ++channel) {
    const histogram = histograms[channel]!
    for (let i = channel; i < images.length; i += channels) histogram[images[i]!]! += 1
  }
  const count = images.length / channels
  const mean = histograms.map(histogram => histogram.reduce((sum, n, value) => sum + n * (value / 255), 0) / count)
  const std = histograms.map((histogram, channel) =>
    Math.sqrt(histogram.reduce((sum, n, value) => sum + n * (value / 255 - mean[channel]!) ** 2, 0) / count),
  )
  return { mean, std }
}

/** `augment` with the defaults of `noAugment`, checked against the images it is for. */
export function checkedAugment(augment: Partial<Augment>, [height, width]: ImageShape): Augment {
  requireKnownOptions('augment', augment, Object.keys(noAugment))
  const { pad, padMode, flip, cutout, randomErasing } = { ...noAugment, ...augment }
  requireInteger('augment', 'pad', pad, 0)
  requireOneOf('augment', 'padMode', padMode, ['zero', 'reflect'])
  requireBoolean('augment', 'flip', flip)
  requireInteger('augment', 'cutout', cutout, 0)
  requireNumber('augment', 'randomErasing', randomErasing, 'from 0 to 1', value => value >= 0 && value <= 1)
  if (padMode === 'reflect' && pad >= Math.min(height, width))
    throw new InvalidArgument(
      `augment: pad ${pad} with padMode 'reflect' needs images larger than ${pad}, these are ${height}x${width}`,
    )
  return { pad, padMode, flip, cutout, randomErasing }
}
