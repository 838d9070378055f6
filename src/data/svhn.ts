/**
 * SVHN, format 2 (Netzer et al. 2011): digits of house numbers, 32x32, RGB; 73,257 training, 26,032 test and 531,131 extra images.
 * 'svhn' trains on the training images, 'svhn-extra' on these and the extra ones.
 */
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { channelStatistics, noAugment, type DataSource, type ImageDataset } from './dataset.js'
import { find, type FindOptions, type Published } from './find.js'
import { readMat, type MatArray } from './mat.js'

const classNames = Array.from({ length: 10 }, (_, digit) => String(digit))
const imageBytes = 32 * 32 * 3

const files = [
  { name: 'train_32x32.mat', md5: 'e26dedcc434d2e4c54c9b2d4a06d8373' },
  { name: 'extra_32x32.mat', md5: 'a93ce644f1a588dc4d68dda5feec44a7' },
  { name: 'test_32x32.mat', md5: 'eb5a983be6a315427106f1b164d9cef3' },
]

const publishedWith = (extra: boolean): Published => {
  const downloads = files.filter(({ name }) => extra || !name.startsWith('extra'))
  return {
    // One folder for both: they share two files.
    name: 'svhn',
    title: extra ? 'SVHN with its extra images' : 'SVHN',
    address: 'http://ufldl.stanford.edu/housenumbers',
    downloads,
    forms: [{ files: downloads.map(({ name }) => name), folders: [''] }],
  }
}

/** Where its files are published and may lie. */
export const svhn = publishedWith(false)
/** The same with the extra images, a file of 1.3 GB. */
export const svhnExtra = publishedWith(true)

export const openSvhn = (options: FindOptions): Promise<DataSource> => openPublished('svhn', svhn, options)
export const openSvhnExtra = (options: FindOptions): Promise<DataSource> => openPublished('svhn-extra', svhnExtra, options)

/** No crop and no flip, as published for Wide ResNet and DenseNet. */
async function openPublished(name: string, published: Published, options: FindOptions): Promise<DataSource> {
  const { folder, form } = await find(published, options)
  const paths = form.files.map(file => join(folder, file))
  const test = await readPart(name, [paths.pop()!])
  const train = await readPart(name, paths)
  return { name, train, test, ...channelStatistics(train), augment: noAugment }
}

/** The images of all files, one after the other. */
async function readPart(name: string, paths: readonly string[]): Promise<ImageDataset> {
  let images = new Uint8Array(0)
  const labels: Int32Array[] = []
  for (const file of paths) {
    const before = images
    // The bytes of the next file come behind those of the files before, without a copy of the larger part.
    const { X, y } = await readMat(file, ['X', 'y'], (array, bytes) => {
      if (array === 'y') return new Uint8Array(bytes)
      images = new Uint8Array(before.length + bytes)
      images.set(before)
      return images.subarray(before.length)
    })
    const [height, width, channels, size = 1] = X.dims
    if (X.type !== 'uint8' || height !== 32 || width !== 32 || channels !== 3 || X.dims.length > 4)
      throw new InvalidArgument(`${file}: X is ${X.dims.join('x')} of ${X.type}, SVHN has 32x32x3xN of uint8`)
    if (size === 0) throw new InvalidArgument(`${file} has no images`)
    labels.push(labelsOf(y, size, file))
    for (let n = 0; n < size; ++n) toRowMajor(X.data, n * imageBytes)
  }
  const all = Int32Array.from(labels.flatMap(each => [...each]))
  return { name, images, labels: all, shape: [32, 32, 3], numClasses: 10, classNames, size: all.length }
}

const scratch = new Uint8Array(imageBytes)

/** One image, in place: from (row, column, channel), rows nearest, to rows of pixels. */
function toRowMajor(images: Uint8Array, start: number): void {
  for (let row = 0; row < 32; ++row)
    for (let column = 0; column < 32; ++column)
      for (let channel = 0; channel < 3; ++channel)
        scratch[(row * 32 + column) * 3 + channel] = images[start + row + 32 * (column + 32 * channel)]!
  images.set(scratch, start)
}

const numberAt: Record<MatArray['type'], (bytes: Buffer, index: number) => number> = {
  int8: (bytes, i) => bytes.readInt8(i),
  uint8: (bytes, i) => bytes.readUInt8(i),
  int16: (bytes, i) => bytes.readInt16LE(2 * i),
  uint16: (bytes, i) => bytes.readUInt16LE(2 * i),
  int32: (bytes, i) => bytes.readInt32LE(4 * i),
  uint32: (bytes, i) => bytes.readUInt32LE(4 * i),
  single: (bytes, i) => bytes.readFloatLE(4 * i),
  double: (bytes, i) => bytes.readDoubleLE(8 * i),
}

/** The files call the digit 0 class 10. */
function labelsOf({ dims, type, data }: MatArray, size: number, file: string): Int32Array {
  const count = dims.reduce((product, each) => product * each, 1)
  if (count !== size) throw new InvalidArgument(`${file}: X has ${size} images but y has ${count} labels`)
  return Int32Array.from({ length: size }, (_, i) => {
    const label = numberAt[type](data, i)
    if (Number.isInteger(label) && label >= 1 && label <= 10) return label % 10
    throw new InvalidArgument(`${file}: label ${i} is ${label}, SVHN has labels 1 to 10 (10: the digit 0)`)
  })
}
