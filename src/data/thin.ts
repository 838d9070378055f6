/** Fewer images of a data set, evenly spread over it: the same share of every part of a file that is sorted. */
import { InvalidArgument } from '../runtime/errors.js'
import type { DataSource, ImageDataset } from './dataset.js'

/**
 * The data set with so many training images, and so many test images; undefined: all. Normalisation stays that of the whole
 * set. Throws InvalidArgument where there are not so many.
 */
export function thinned(
  source: DataSource,
  { train, test }: { train?: number | undefined; test?: number | undefined },
): DataSource {
  return { ...source, train: part(source.train, train, 'training'), test: part(source.test, test, 'test') }
}

function part(dataset: ImageDataset, count: number | undefined, kind: 'training' | 'test'): ImageDataset {
  const { images, labels, shape, size, name } = dataset
  if (count === undefined || count === size) return dataset
  if (count > size) throw new InvalidArgument(`${name} has ${size} ${kind} images, not ${count}`)
  const bytes = shape[0] * shape[1] * shape[2]
  const kept = new Uint8Array(count * bytes)
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * size) / count))
  indices.forEach((index, i) => kept.set(images.subarray(index * bytes, (index + 1) * bytes), i * bytes))
  return { ...dataset, images: kept, labels: Int32Array.from(indices, index => labels[index]!), size: count }
}
