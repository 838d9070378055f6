/** The caller's own images as a data source, everything checked. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireKnownOptions } from '../runtime/options.js'
import {
  channelStatistics,
  checkedAugment,
  type Augment,
  type DataSource,
  type ImageDataset,
  type ImageShape,
} from './dataset.js'

/** Numbers in nested arrays. */
export type NestedNumbers = number | readonly NestedNumbers[]

/** Images and their labels. */
export interface ImageArrays {
  /** Bytes in NHWC order (then `shape` says how large an image is), or nested arrays [N][H][W] or [N][H][W][C] of 0 … 255. */
  images: Uint8Array | Uint8ClampedArray | readonly NestedNumbers[]
  /** One class number an image, from 0. */
  labels: ArrayLike<number>
  /** [height, width, channels]; needed for flat bytes, found from nested arrays. Of test images: default that of the training images. */
  shape?: ImageShape
}

/** Options of `fromArrays`: the training images and what goes with them. */
export interface FromArraysOptions extends ImageArrays {
  /** In messages and run folders; default 'arrays'. */
  name?: string
  /** Default: as many as classNames, or one more than the largest label of the training images. */
  numClasses?: number
  /** One name a class, for people. */
  classNames?: readonly string[]
  /** What accuracy is measured on; default: none. They may have another height and width, not other channels. */
  test?: ImageArrays
  /** Taken from value/255, one number a channel. Default: computed from the training images. */
  mean?: readonly number[]
  /** What the result is divided by, one number a channel, above 0. Default: computed from the training images. */
  std?: readonly number[]
  /** Random changes to the training images; default: none. */
  augment?: Partial<Augment>
}

const options = ['images', 'labels', 'name', 'shape', 'numClasses', 'classNames', 'test', 'mean', 'std', 'augment']

/**
 * A data source of the caller's own images, held in memory as bytes; `Trainer` keeps it on the device and normalises, crops and
 * mirrors there. Throws InvalidArgument that names the array and the element for anything that does not fit.
 */
export function fromArrays(given: FromArraysOptions): DataSource {
  requireKnownOptions('data.fromArrays', given, options)
  const name = given.name ?? 'arrays'
  const shape = checkedShape(given.shape ?? shapeOf(given.images))
  const named = given.numClasses ?? given.classNames?.length
  const labels = checkedLabels(given.labels, named, 'labels')
  const numClasses = named ?? labels.reduce((largest, label) => Math.max(largest, label), 0) + 1
  if (given.classNames && given.classNames.length !== numClasses)
    throw new InvalidArgument(`classNames has ${given.classNames.length} names for ${numClasses} classes`)

  const dataset = ({ images }: ImageArrays, size: ImageShape, checked: Int32Array, where: string): ImageDataset => ({
    name,
    images: checkedImages(images, checked.length, size, where),
    labels: checked,
    shape: size,
    numClasses,
    ...(given.classNames && { classNames: given.classNames }),
    size: checked.length,
  })
  const train = dataset(given, shape, labels, '')
  if (train.size === 0) throw new InvalidArgument('images and labels are empty: training needs at least one image')
  const test: ImageArrays = given.test ?? { images: new Uint8Array(0), labels: [] }
  requireKnownOptions('data.fromArrays: test', test, ['images', 'labels', 'shape'])
  const statistics = given.mean && given.std ? { mean: given.mean, std: given.std } : channelStatistics(train)
  return {
    name,
    train,
    test: dataset(test, checkedTestShape(test.shape, shape), checkedLabels(test.labels, numClasses, 'test.labels'), 'test.'),
    mean: checkedChannels(given.mean ?? statistics.mean, shape[2], 'mean'),
    std: checkedStd(given.std ?? statistics.std, shape[2]),
    augment: checkedAugment(given.augment ?? {}, shape),
  }
}

function shapeOf(images: ImageArrays['images']): ImageShape {
  if (!Array.isArray(images))
    throw new InvalidArgument(
      'flat images need `shape: [height, width, channels]`: the bytes alone do not say how large an image is',
    )
  const sizes: number[] = []
  for (let level = images[0] as NestedNumbers; Array.isArray(level); level = (level as readonly NestedNumbers[])[0]!)
    sizes.push(level.length)
  const [height, width, channels = 1] = sizes
  if (height === undefined || width === undefined || sizes.length > 3)
    throw new InvalidArgument(`nested images must be [N][H][W] or [N][H][W][C], these are nested ${sizes.length + 1} deep`)
  return [height, width, channels]
}

function checkedShape(shape: readonly number[], where = ''): ImageShape {
  if (shape.length !== 3 || !shape.every(n => Number.isInteger(n) && n > 0))
    throw new InvalidArgument(
      `${where}shape must be [height, width, channels], three positive integers, got [${shape.join(', ')}]`,
    )
  return shape as unknown as ImageShape
}

function checkedTestShape(given: ImageShape | undefined, shape: ImageShape): ImageShape {
  const checked = checkedShape(given ?? shape, 'test.')
  if (checked[2] !== shape[2])
    throw new InvalidArgument(`test.shape has ${checked[2]} channels, the training images have ${shape[2]}: they must agree`)
  return checked
}

function checkedImages(images: ImageArrays['images'], count: number, shape: ImageShape, where: string): Uint8Array {
  const [height, width, channels] = shape
  const expected = count * height * width * channels
  if (images instanceof Uint8Array || images instanceof Uint8ClampedArray) {
    if (images.length !== expected)
      throw new InvalidArgument(
        `${where}images has ${images.length} bytes, but ${count} labels with shape [${shape.join(', ')}] need ${expected}`,
      )
    return new Uint8Array(images.buffer, images.byteOffset, images.length)
  }
  if (!Array.isArray(images)) throw new InvalidArgument(`${where}images must be a Uint8Array or nested arrays of 0 … 255`)
  if (images.length !== count) throw new InvalidArgument(`${where}images has ${images.length} images for ${count} labels`)
  const flat = new Uint8Array(expected)
  let at = 0
  const copy = (level: NestedNumbers, sizes: readonly number[], place: string): void => {
    const [size, ...inner] = sizes
    if (size === undefined || (inner.length === 0 && channels === 1 && typeof level === 'number')) {
      if (typeof level !== 'number' || !Number.isInteger(level) || level < 0 || level > 255)
        throw new InvalidArgument(
          `${where}images${place} must be an integer 0 … 255, got ${Array.isArray(level) ? 'an array' : String(level)}`,
        )
      flat[at++] = level
    } else if (!Array.isArray(level) || level.length !== size) {
      const got = Array.isArray(level) ? level.length : String(level)
      throw new InvalidArgument(`${where}images${place} must have length ${size} as in shape [${shape.join(', ')}], got ${got}`)
    } else level.forEach((element: NestedNumbers, i) => copy(element, inner, `${place}[${i}]`))
  }
  images.forEach((image: NestedNumbers, n) => copy(image, shape, `[${n}]`))
  return flat
}

function checkedLabels(labels: ArrayLike<number>, numClasses: number | undefined, where: string): Int32Array {
  if (numClasses !== undefined && (!Number.isInteger(numClasses) || numClasses < 1))
    throw new InvalidArgument(`numClasses must be a positive integer, got ${numClasses}`)
  const limit = numClasses ?? 2 ** 31 - 1
  for (let i = 0; i < labels.length; ++i) {
    const label = labels[i]!
    if (!Number.isInteger(label) || label < 0 || label >= limit)
      throw new InvalidArgument(`${where}[${i}] is ${label}; labels are integers from 0 to ${limit - 1}`)
  }
  return Int32Array.from(labels)
}

function checkedChannels(values: readonly number[], channels: number, where: string): readonly number[] {
  if (values.length !== channels || !values.every(Number.isFinite))
    throw new InvalidArgument(`${where} must be one finite number a channel (${channels}), got [${values.join(', ')}]`)
  return values
}

function checkedStd(std: readonly number[], channels: number): readonly number[] {
  checkedChannels(std, channels, 'std')
  const flat = std.findIndex(value => value <= 0)
  if (flat >= 0)
    throw new InvalidArgument(
      `std of channel ${flat} is ${std[flat]}: pixels would be divided by it; give \`std\` (a channel of one value: 1)`,
    )
  return std
}
