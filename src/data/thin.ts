/** Fewer images of a data set, evenly spread over it: the same share of every part of a file that is sorted. */
import { InvalidArgument } from '../runtime/errors.js'
import type { DataSource, ImageDataset } from './dataset.js'
import type { ImageFileSet, ImageFileSource } from './image_files.js'

/**
 * The data set with so many training images, and so many test images; undefined: all. Normalisation stays that of the whole
 * set. Throws InvalidArgument where there are not so many.
 */
export function thinned<Data extends DataSource | ImageFileSource>(
  source: Data,
  { train, test }: { train?: number | undefined; test?: number | undefined },
): Data {
  const { name } = source
  if (!('kind' in source))
    return { ...source, train: part(source.train, train, 'training'), test: part(source.test, test, 'test') }
  const fewerTest = source.test && fewer(name, source.test, test, 'test')
  return { ...source, train: fewer(name, source.train, train, 'training'), test: fewerTest }
}

type Kind = 'training' | 'test'

function part(dataset: ImageDataset, count: number | undefined, kind: Kind): ImageDataset {
  const { images, labels, shape, size, name } = dataset
  const indices = spread(name, size, count, kind)
  if (!indices) return dataset
  const bytes = shape[0] * shape[1] * shape[2]
  const kept = new Uint8Array(indices.length * bytes)
  indices.forEach((index, i) => kept.set(images.subarray(index * bytes, (index + 1) * bytes), i * bytes))
  return { ...dataset, images: kept, labels: Int32Array.from(indices, index => labels[index]!), size: indices.length }
}

function fewer(name: string, set: ImageFileSet, count: number | undefined, kind: Kind): ImageFileSet {
  const { root, names, labels, pieces } = set
  const indices = spread(name, names.length, count, kind)
  if (!indices) return set
  const kept = { root, names: indices.map(i => names[i]!), labels: Int32Array.from(indices, i => labels[i]!) }
  if (!pieces) return kept
  const { paths, files, offsets, lengths, checksums } = pieces
  const numbers = (array: Float64Array) => Float64Array.from(indices, i => array[i]!)
  const sums = checksums && { checksums: Uint32Array.from(indices, i => checksums[i]!) }
  const places = { files: Int32Array.from(indices, i => files[i]!), offsets: numbers(offsets), lengths: numbers(lengths) }
  return { ...kept, pieces: { paths, ...places, ...sums } }
}

/** Which images are kept; undefined: all. */
function spread(name: string, size: number, count: number | undefined, kind: Kind): number[] | undefined {
  if (count === undefined || count === size) return undefined
  if (count > size) throw new InvalidArgument(`${name} has ${size} ${kind} images, not ${count}`)
  return Array.from({ length: count }, (_, i) => Math.floor((i * size) / count))
}
