/** Images of files as a network sees them in an evaluation: resized, their centre cut out. */
import { existsSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { noAugment, type DataSource, type ImageDataset, type ImageFileSet, type ImageFileSource } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { ImageFiles, ImageReader, imageRing, noChanges } from '../runtime/image_reader.js'

type Look = Pick<ImageFileSource['options'], 'valCropSize' | 'valResizeSize' | 'workers'>

/** Bytes [crop, crop, 3] of each of the images. Throws for one that cannot be read, with its place. */
export async function centreCrops(set: ImageFileSet, look: Look, indices: readonly number[]): Promise<Uint8Array[]> {
  return (await readCrops(set, { ...look, maxCorrupt: 0 }, indices)).map(({ bytes }) => bytes)
}

/** Those of the images that can be read; throws where more than `maxCorrupt` cannot, and warns of the others. */
async function readCrops(
  { root, names, labels, pieces }: ImageFileSet,
  { valCropSize: crop, valResizeSize: resize, workers: threads, maxCorrupt }: Look & { readonly maxCorrupt: number },
  indices: readonly number[],
): Promise<{ bytes: Uint8Array; label: number }[]> {
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
    maxCorrupt,
  }
  using reader = new ImageReader(new ImageFiles(root, names, labels, pieces), options, imageRing(threads + 1, 1, view))
  const crops: { bytes: Uint8Array; label: number }[] = []
  for (let i = 0; i < order.length; ++i) {
    const { images, labels: read, count, faults } = await reader.next()
    for (const fault of faults) process.emitWarning(`passed over ${fault}`, { code: 'ERASERELU_IMAGE' })
    if (count > 0) crops.push({ bytes: images.slice(), label: read[0]! })
  }
  return crops
}

/**
 * At most `count` training and test images each, evenly spread, as a data set in memory: the centres of the images, not augmented, without
 * those that cannot be read, of which there may be as many as the source allows.
 */
export async function inMemory(source: ImageFileSource, count: number): Promise<DataSource> {
  const { name, numClasses, classNames, mean, std, options } = source
  const part = async (set: ImageFileSet | undefined, side: number): Promise<ImageDataset> => {
    const size = Math.min(count, set?.names.length ?? 0)
    const indices = Array.from({ length: size }, (_, i) => Math.floor((i * set!.names.length) / size))
    const look = { ...options, valCropSize: side, valResizeSize: Math.max(side, options.valResizeSize) }
    const crops = set ? await readCrops(set, look, indices) : []
    const images = new Uint8Array(Buffer.concat(crops.map(({ bytes }) => bytes)))
    const read = Int32Array.from(crops, ({ label }) => label)
    return { name, images, labels: read, shape: [side, side, 3], numClasses, classNames, size: crops.length }
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
