/**
 * Fashion-MNIST (Xiao et al. 2017; MIT licence): 60,000 training and 10,000 test images of ten kinds of garment, 28x28, grey.
 * The whole set is found on this machine or downloaded; a sample of a tenth is part of the package (see sample/README.md).
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { packageRoot } from '../runtime/package_root.js'
import { channelStatistics, type Augment, type DataSource, type ImageDataset } from './dataset.js'
import { download, type PublishedFile } from './download.js'
import { readIdx } from './idx.js'

const classNames = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot']

/** The usual crop and flip. Garments fill the frame, so the crop moves by 2 pixels, not by the 4 usual for 32x32 scenes. */
const augment: Augment = { pad: 2, padMode: 'zero', flip: true, cutout: 0 }

const address = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com'

export const publishedFiles: readonly PublishedFile[] = [
  {
    name: 'train-images-idx3-ubyte.gz',
    md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
  },
  {
    name: 'train-labels-idx1-ubyte.gz',
    md5: '25c81989df183df01b3e8a0aad5dffbe',
    sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
  },
  {
    name: 't10k-images-idx3-ubyte.gz',
    md5: 'bef4ecab320f06d8554ea6380940ec79',
    sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
  },
  {
    name: 't10k-labels-idx1-ubyte.gz',
    md5: 'bb300cfdad3c16e7a12a480ee83cd310',
    sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
  },
]

/** Where `open` looks for a data set. */
export interface FindOptions {
  /** The folder with the four files; nothing else is looked at then. */
  dataPath?: string
  /** Whether to download what is nowhere on this machine (default true). */
  download?: boolean
}

export async function openFashionMnist(options: FindOptions): Promise<DataSource> {
  return read('fashion-mnist', await find(options))
}

export const openFashionMnistSample = (): Promise<DataSource> =>
  read('fashion-mnist-sample', join(packageRoot(), 'src/data/sample'))

/** Where this machine and the world keep data sets. */
export interface Surroundings {
  env: NodeJS.ProcessEnv
  /** The folder of Debian's package dataset-fashion-mnist. */
  system: string
  address: string
}

const surroundings: Surroundings = { env: process.env, system: '/usr/share/datasets/fashion-mnist', address }

/** The folder that holds the four files. */
export async function find(
  { dataPath, download: mayDownload = true }: FindOptions,
  { env, system, address: from } = surroundings,
): Promise<string> {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'eraserelu/fashion-mnist')
  const places = dataPath
    ? [dataPath, join(dataPath, 'fashion-mnist')]
    : [...(env.ERASERELU_DATA ? [env.ERASERELU_DATA, join(env.ERASERELU_DATA, 'fashion-mnist')] : []), system, cache]
  const found = places.find(folder => missingIn(folder).length === 0)
  if (found) return found

  const looked = places.map(folder => `  ${folder}: ${whatIsMissing(folder)}`)
  if (dataPath) throw notFound(looked, `put the four files from ${from} there, or leave the data path out`)
  if (!mayDownload) looked.push(`  ${from}: not tried, downloading is switched off`)
  else {
    try {
      await download(from, publishedFiles, cache)
      return cache
    } catch (error) {
      looked.push(`  download from ${(error as Error).message}`)
    }
  }
  throw notFound(
    looked,
    `install Debian's package dataset-fashion-mnist, or copy the four files from ${from} into one of these folders or into a folder named by ` +
      `$ERASERELU_DATA or the data path; the small 'fashion-mnist-sample' needs no files`,
  )
}

const missingIn = (folder: string): string[] =>
  publishedFiles.map(({ name }) => name).filter(name => !existsSync(join(folder, name)))

function whatIsMissing(folder: string): string {
  if (!existsSync(folder)) return 'no such folder'
  const missing = missingIn(folder)
  return missing.length === publishedFiles.length ? 'none of the four files' : `without ${missing.join(', ')}`
}

const notFound = (looked: string[], remedy: string): InvalidArgument =>
  new InvalidArgument(
    `Fashion-MNIST (${publishedFiles.map(({ name }) => name).join(', ')}) was not found. Looked at:\n${looked.join('\n')}\nWhat would work: ${remedy}.`,
  )

async function read(name: string, folder: string): Promise<DataSource> {
  const [train, test] = await Promise.all([readPart(name, folder, 'train'), readPart(name, folder, 't10k')])
  return { name, train, test, ...channelStatistics(train), augment }
}

async function readPart(name: string, folder: string, part: 'train' | 't10k'): Promise<ImageDataset> {
  const imageFile = join(folder, `${part}-images-idx3-ubyte.gz`)
  const labelFile = join(folder, `${part}-labels-idx1-ubyte.gz`)
  const [images, labels] = await Promise.all([readIdx(imageFile, 3), readIdx(labelFile, 1)])
  const [size, height, width] = images.shape as [number, number, number]
  if (height !== 28 || width !== 28)
    throw new InvalidArgument(`${imageFile}: images are ${height}x${width}, Fashion-MNIST has 28x28`)
  if (labels.data.length !== size)
    throw new InvalidArgument(`${imageFile} has ${size} images but ${labelFile} has ${labels.data.length} labels`)
  const wrong = labels.data.findIndex(label => label >= classNames.length)
  if (wrong >= 0)
    throw new InvalidArgument(
      `${labelFile}: label ${wrong} is ${labels.data[wrong]}, Fashion-MNIST has classes 0 to ${classNames.length - 1}`,
    )
  return {
    name,
    images: images.data,
    labels: Int32Array.from(labels.data),
    shape: [28, 28, 1],
    numClasses: classNames.length,
    classNames,
    size,
  }
}
