/** Data sets by name, and the caller's own: `data.open`, `data.list`, `data.fromArrays`. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireKnownOptions } from '../runtime/options.js'
import { didYouMean } from '../runtime/suggest.js'
import { openCifar10 } from './cifar10.js'
import { openCifar100 } from './cifar100.js'
import type { DataSource } from './dataset.js'
import { openFashionMnist, openFashionMnistSample } from './fashion_mnist.js'
import type { FindOptions } from './find.js'
import { openMnist } from './mnist.js'
import { openSvhn, openSvhnExtra } from './svhn.js'

export { fromBatches, type BatchStream, type BatchStreamOptions } from './batch_stream.js'
export { fromArrays, type FromArraysOptions, type ImageArrays, type NestedNumbers } from './from_arrays.js'
export { noAugment, type Augment, type DataSource, type ImageDataset, type ImageShape } from './dataset.js'
export type { Rank } from './epoch_order.js'
export { Loader, type LoaderOptions, type LoadedBatch } from './loader.js'
export { checkBatch, type Batch, type BatchSource, type BatchSpec } from './batch.js'
export type { FindOptions } from './find.js'
export { imageFolder } from './image_folder.js'
export { imageNet } from './imagenet.js'
export { imageKind, imagesAt, type ImageKind } from './images_at.js'
export { pack, type PackOptions, type PackProgress, type PackResult } from './pack.js'
export { shards } from './shards.js'
export { unpack, type UnpackOptions, type UnpackResult } from './unpack.js'
export { webDataset } from './webdataset.js'
export type { ImageFileOptions, ImageFileSet, ImageFileSource } from './image_files.js'
export type { ImagePieces } from '../runtime/image_reader.js'

const sources: Readonly<Record<string, (options: FindOptions) => Promise<DataSource>>> = {
  'fashion-mnist': openFashionMnist,
  'fashion-mnist-sample': openFashionMnistSample,
  mnist: openMnist,
  cifar10: openCifar10,
  cifar100: openCifar100,
  svhn: openSvhn,
  'svhn-extra': openSvhnExtra,
}

/** The names that `open` knows. */
export const list = (): string[] => Object.keys(sources)

/** Opens a data set by name: finds its files on this machine or downloads them. */
export async function open(name: string, options: FindOptions = {}): Promise<DataSource> {
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined
  if (!source)
    throw new InvalidArgument(`There is no data set '${name}'.${didYouMean(name, list())} Known: ${list().join(', ')}.`)
  requireKnownOptions(`data.open('${name}')`, options, ['dataPath', 'download'])
  return source(options)
}
