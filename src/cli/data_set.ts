/** The data that the command line names: a data set that fits into memory, or images in folders, tar files or shards. */
import {
  imageKind,
  list,
  open,
  type DataSource,
  type ImageFileOptions,
  type ImageFileSource,
  type ImageKind,
} from '../data/index.js'
import { imageReaders } from '../data/images_at.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'

const sample = 'fashion-mnist-sample'

/** What images can lie in: they are read while they are used. */
export const imageKinds = Object.keys(imageReaders)
const isImages = (name: string): name is ImageKind => Object.hasOwn(imageReaders, name)

/** The names that `--dataset` knows. */
export const dataNames = (): string[] => [...list(), ...imageKinds]

/** Wrong names end a command before data are looked for. Says whether it is images. */
export function checkDataSet(command: string, name: string, dataPath: string | undefined): boolean {
  requireOneOf(command, '--dataset', name, dataNames())
  if (isImages(name)) {
    if (dataPath === undefined) throw new InvalidArgument(`${command}: --dataset ${name} needs --data-path, where the images are`)
    return true
  }
  if (dataPath !== undefined && name === sample)
    throw new InvalidArgument(`${command}: --data-path is for other data sets: ${sample} comes with the package`)
  return false
}

/** A data set that fits into memory. */
export async function openDataSet(command: string, name: string, dataPath: string | undefined): Promise<DataSource> {
  checkInMemory(command, name, dataPath)
  return open(name, dataPath === undefined ? {} : { dataPath })
}

export function checkInMemory(command: string, name: string, dataPath: string | undefined): void {
  if (!checkDataSet(command, name, dataPath)) return
  throw new InvalidArgument(`${command}: --dataset ${name} does not fit into memory; here: ${list().join(', ')}`)
}

/** `options`: of images. */
export async function openData(
  command: string,
  name: string,
  dataPath: string | undefined,
  options: ImageFileOptions,
): Promise<DataSource | ImageFileSource> {
  checkDataSet(command, name, dataPath)
  if (!isImages(name) || dataPath === undefined) return openDataSet(command, name, dataPath)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return imageReaders[name](dataPath, Object.fromEntries(given))
}

/**
 * The data set where only the place may have been given: what lies there, unless `known` is a data set that fits into memory. `known`
 * may be any name, such as that of a folder a network was trained on.
 */
export function dataSetAt(known: string | undefined, dataPath: string | undefined): string | undefined {
  if (dataPath === undefined || (known !== undefined && list().includes(known))) return known
  const found = imageKind(dataPath)
  return known === 'imagenet' && found === 'image-folder' ? known : found
}

/** How many images there are. */
export const sizesOf = (data: DataSource | ImageFileSource): { train: number; test: number } =>
  'kind' in data
    ? { train: data.train.names.length, test: data.test?.names.length ?? 0 }
    : { train: data.train.size, test: data.test.size }
