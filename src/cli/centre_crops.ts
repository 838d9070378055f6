/** Images of files as a network sees them in an evaluation: resized, their centre cut out. */
import { existsSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { noAugment, type DataSource, type ImageDataset, type ImageFileSet, type ImageFileSource } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { ImageFiles, ImageReader, imageRing, noChanges } from '../runtime/image_reader.js'

/** Bytes [crop, crop, 3] of each of the images. Throws for one that cannot be read, with its place. */
export async function centreCrops(
  { root, names, labels, pieces }: ImageFileSet,
  {
    valCropSize: crop,
    valResizeSize: resize,
    workers: threads,
  }: Pick<ImageFileSource['options'], 'valCropSize' | 'valResizeSize' | 'workers'>,
  indices: readonly number[],
): Promise<Uint8Array[]> {
  const plain = { random: false, minScale: 1, maxScale: 1, minRatio: 1, maxRatio: 1, flip: false }
  const view = { height: crop, width: crop, ...plain, resize }
  const order = Int32Array.from(indices)
  const options = {
    view,
    ...noChanges,
    seed: 0,
    epoch: 0,
    order,
    batchSize: 1,
    firstBatch: 0,
    ahead: threads,
    threads,
    maxCorrupt: 0,
  }
  using reader = new ImageReader(new ImageFiles(root, names, labels, pieces), options, imageRing(threads + 1, 1, view))
  const crops: Uint8Array[] = []
  for (let i = 0; i < order.length; ++i) crops.push((await reader.next()).images.slice())
  return crops
}

/** At most `count` training and test images each, evenly spread, as a data set in memory: the centres of the images, not augmented. */
export async function inMemory(source: ImageFileSource, count: number): Promise<DataSource> {
  const { name, numClasses, classNames, mean, std, options } = source
  const part = async (set: ImageFileSet | undefined, side: number): Promise<ImageDataset> => {
    const size = Math.min(count, set?.names.length ?? 0)
    const indices = Array.from({ length: size }, (_, i) => Math.floor((i * set!.names.length) / size))
    const look = { ...options, valCropSize: side, valResizeSize: Math.max(side, options.valResizeSize) }
    const images = Buffer.concat(set ? await centreCrops(set, look, indices) : [])
    const labels = Int32Array.from(indices, i => set!.labels[i]!)
    return { name, images: new Uint8Array(images), labels, shape: [side, side, 3], numClasses, classNames, size }
  }
  const { train, test, shape, testShape } = source
  return { name, train: await part(train, shape[0]), test: await part(test, testShape[0]), mean, std, augment: noAugment }
}

const extensions = new Set(['.jpg', '.jpeg', '.png', '.ppm'])

/** Files, and in place of a folder the images directly in it. Throws InvalidArgument for what is not there. */
export async function imagesIn(paths: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const path of paths) {
    if (!existsSync(path)) throw new InvalidArgument(`${path}: cannot be read (there is no such file or folder)`)
    if (!statSync(path).isDirectory()) {
      found.push(path)
      continue
    }
    const images = (await readdir(path)).filter(name => extensions.has(extname(name).toLowerCase())).sort()
    if (images.length === 0)
      throw new InvalidArgument(
        `${path}: no JPEG, PNG or PPM files lie in it; for class folders, tar files and shards: --data-path with --index`,
      )
    found.push(...images.map(name => join(path, name)))
  }
  return found
}
