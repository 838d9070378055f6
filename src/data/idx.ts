/** Reader of IDX files, the format of MNIST and Fashion-MNIST: a magic number, big-endian sizes, bytes; gzipped or not. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { InvalidArgument } from '../runtime/errors.js'
import type { ImageDataset } from './dataset.js'
import type { Form } from './find.js'

export interface IdxArray {
  shape: number[]
  data: Uint8Array
}

// Several times what any data set of this format holds.
const largest = 2 ** 30
const unzip = (packed: Uint8Array) => promisify(gunzip)(packed, { maxOutputLength: largest })

/** Reads an IDX file of unsigned bytes with `rank` dimensions, gzipped if its name ends in .gz; every defect is an error that names the file. */
export async function readIdx(file: string, rank: number): Promise<IdxArray> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new InvalidArgument(`${file}: ${reason}`, { cause })
  }
  const packed = await readFile(file).catch((error: unknown) => fail(`cannot be read (${(error as Error).message})`, error))
  const bytes = file.endsWith('.gz')
    ? await unzip(packed).catch((error: unknown) =>
        fail(`is not a complete gzip file of at most 1 GiB (${(error as Error).message})`, error),
      )
    : packed
  const header = 4 + 4 * rank
  if (bytes.length < header) fail(`holds ${bytes.length} bytes, less than the ${header} of an IDX header with ${rank} dimensions`)
  const magic = 0x0800 + rank
  if (bytes.readUInt32BE(0) !== magic)
    fail(`starts with ${hex(bytes.readUInt32BE(0))}, expected ${hex(magic)} (IDX, unsigned bytes, ${rank} dimensions)`)
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const expected = header + shape.reduce((product, size) => product * size, 1)
  if (bytes.length !== expected)
    fail(
      `holds ${bytes.length} bytes, but its header (${shape.join('x')}) promises ${expected}: ${bytes.length < expected ? 'truncated' : 'damaged'}`,
    )
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, expected - header) }
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`

const idxFiles = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']

/** The forms of a data set of four IDX files: gzipped as published, or unzipped. */
export const idxForms = (...folders: string[]): Form[] => [
  { files: idxFiles.map(name => `${name}.gz`), folders },
  { files: idxFiles, folders },
]

/** What the two parts of a data set of four IDX files have in common. */
export type IdxDataset = Pick<ImageDataset, 'name' | 'classNames'> & {
  readonly title: string
  readonly classNames: readonly string[]
}

/** Training and test images, 28x28, of a folder with four IDX files whose names are those of `form`. */
export async function readIdxDataset(
  set: IdxDataset,
  folder: string,
  { files }: Form,
): Promise<{ train: ImageDataset; test: ImageDataset }> {
  const paths = files.map(name => join(folder, name)) as [string, string, string, string]
  const [train, test] = await Promise.all([readPart(set, paths[0], paths[1]), readPart(set, paths[2], paths[3])])
  return { train, test }
}

async function readPart({ name, title, classNames }: IdxDataset, imageFile: string, labelFile: string): Promise<ImageDataset> {
  const [images, labels] = await Promise.all([readIdx(imageFile, 3), readIdx(labelFile, 1)])
  const [size, height, width] = images.shape as [number, number, number]
  if (height !== 28 || width !== 28) throw new InvalidArgument(`${imageFile}: images are ${height}x${width}, ${title} has 28x28`)
  if (size === 0) throw new InvalidArgument(`${imageFile} has no images`)
  if (labels.data.length !== size)
    throw new InvalidArgument(`${imageFile} has ${size} images but ${labelFile} has ${labels.data.length} labels`)
  const numClasses = classNames.length
  const wrong = labels.data.findIndex(label => label >= numClasses)
  if (wrong >= 0)
    throw new InvalidArgument(
      `${labelFile}: label ${wrong} is ${labels.data[wrong]}, ${title} has classes 0 to ${numClasses - 1}`,
    )
  return { name, images: images.data, labels: Int32Array.from(labels.data), shape: [28, 28, 1], numClasses, classNames, size }
}
