/** What CIFAR-10 and CIFAR-100 have in common (Krizhevsky 2009): 50,000 training and 10,000 test images, 32x32, RGB, as binary files or pickles. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import type { Augment, DataSource, ImageDataset } from './dataset.js'
import { find, type FindOptions, type Form, type Published } from './find.js'
import { ByteArray, readPickle } from './pickle.js'

/** One of the two data sets. */
export interface Cifar {
  readonly published: Omit<Published, 'forms'> & { readonly forms: readonly CifarForm[] }
  readonly classNames: readonly string[]
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /** Label bytes before the pixels of a record in a binary file; the last one counts. */
  readonly labelBytes: number
  /** The key of the labels in a pickle. */
  readonly labelKey: string
}

/** The last file holds the test images, the others the training images. */
export interface CifarForm extends Form {
  readonly pickled: boolean
}

/** As published for residual networks: 4 black pixels on every side, a random crop, a random flip. */
const augment: Augment = { pad: 4, padMode: 'zero', flip: true, cutout: 0, randomErasing: 0 }

const pixels = 32 * 32
const imageBytes = 3 * pixels

/** Images of one file. */
interface Part {
  /** NHWC. */
  readonly images: Uint8Array
  readonly labels: Int32Array
}

export async function openCifar(set: Cifar, options: FindOptions): Promise<DataSource> {
  const { published, mean, std } = set
  const found = await find(published, options)
  const { files, pickled } = found.form as CifarForm
  const read = pickled ? readPickled : readBinary
  const parts: Part[] = []
  for (const name of files) parts.push(await read(set, join(found.folder, name)))
  const test = parts.pop()!
  return { name: published.name, train: joined(set, parts), test: joined(set, [test]), mean, std, augment }
}

async function contentOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new InvalidArgument(`${file}: cannot be read (${(error as Error).message})`, { cause: error })
  })
}

/** Records of one or two label bytes and 3072 pixels: 1024 red, 1024 green, 1024 blue, each row by row. */
async function readBinary(set: Cifar, file: string): Promise<Part> {
  const { labelBytes, published } = set
  const bytes = await contentOf(file)
  const record = labelBytes + imageBytes
  const size = bytes.length / record
  if (size === 0 || !Number.isInteger(size))
    throw new InvalidArgument(
      `${file}: holds ${bytes.length} bytes, which is no whole number of ${published.title}'s records of ${record} bytes: truncated or damaged`,
    )
  const images = new Uint8Array(size * imageBytes)
  const labels = Int32Array.from({ length: size }, (_, n) => bytes[n * record + labelBytes - 1]!)
  for (let n = 0; n < size; ++n) interleave(bytes, n * record + labelBytes, images, n * imageBytes)
  return { images, labels: checked(labels, set, file) }
}

/** A dictionary with `data`, an array of bytes [N, 3072], and a list of labels. */
async function readPickled(set: Cifar, file: string): Promise<Part> {
  const fail = (reason: string): never => {
    throw new InvalidArgument(`${file}: ${reason}`)
  }
  const content = readPickle(await contentOf(file), file)
  if (!(content instanceof Map)) return fail('holds no dictionary')
  const { data, [set.labelKey]: given } = Object.fromEntries(content) as Record<string, unknown>
  if (!(data instanceof ByteArray) || data.shape.length !== 2 || data.shape[0] === 0 || data.shape[1] !== imageBytes)
    return fail(`'data' must be an array of bytes of shape [N, ${imageBytes}]`)
  const size = data.shape[0]!
  if (!Array.isArray(given)) return fail(`${set.published.title} has a list '${set.labelKey}', this file has none`)
  if (given.length !== size) return fail(`has ${size} images but ${given.length} labels`)
  const labels = Int32Array.from(given, (label: unknown, n) =>
    typeof label === 'number' && Number.isInteger(label) ? label : fail(`label ${n} is no integer`),
  )
  const images = new Uint8Array(size * imageBytes)
  for (let n = 0; n < size; ++n) interleave(data.data, n * imageBytes, images, n * imageBytes)
  return { images, labels: checked(labels, set, file) }
}

/** One image from channel after channel to channels side by side. */
function interleave(from: Uint8Array, start: number, to: Uint8Array, at: number): void {
  for (let i = 0; i < pixels; ++i)
    for (let channel = 0; channel < 3; ++channel) to[at + 3 * i + channel] = from[start + channel * pixels + i]!
}

function checked(labels: Int32Array, { classNames, published }: Cifar, file: string): Int32Array {
  const wrong = labels.findIndex(label => label < 0 || label >= classNames.length)
  if (wrong < 0) return labels
  throw new InvalidArgument(
    `${file}: label ${wrong} is ${labels[wrong]}, ${published.title} has classes 0 to ${classNames.length - 1}`,
  )
}

function joined({ published: { name }, classNames }: Cifar, parts: readonly Part[]): ImageDataset {
  const size = parts.reduce((sum, { labels }) => sum + labels.length, 0)
  const images = new Uint8Array(size * imageBytes)
  const labels = new Int32Array(size)
  let at = 0
  for (const part of parts) {
    images.set(part.images, at * imageBytes)
    labels.set(part.labels, at)
    at += part.labels.length
  }
  return { name, images, labels, shape: [32, 32, 3], numClasses: classNames.length, classNames, size }
}
