/** Images wherever they are: a folder, tar files or packed shards, told by looking. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import type { ImageFileOptions, ImageFileSource } from './image_files.js'
import { imageFolder } from './image_folder.js'
import { imageNet } from './imagenet.js'
import { indexFile, shards } from './shards.js'
import { isTar, webDataset } from './webdataset.js'

/** What images can lie in. */
export type ImageKind = 'image-folder' | 'imagenet' | 'webdataset' | 'shards'

/** Readers by the name of what they read. */
export const imageReaders = { 'image-folder': imageFolder, imagenet: imageNet, webdataset: webDataset, shards } satisfies Record<
  ImageKind,
  typeof imageFolder
>

/**
 * What lies there: 'shards' (a folder with shards.json), 'webdataset' (tar files), 'imagenet' (val without class folders) or
 * 'image-folder' (train/CLASS/…). Throws InvalidArgument where it is none of them.
 */
export function imageKind(path: string): ImageKind {
  if (!existsSync(path)) throw new InvalidArgument(`${path}: there is no such folder or file`)
  if (!statSync(path).isDirectory()) {
    if (isTar(path)) return 'webdataset'
    if (basename(path) === indexFile) return 'shards'
    throw new InvalidArgument(`${path} is neither a tar file nor ${indexFile}. ${expected(path)}`)
  }
  if (existsSync(join(path, indexFile))) return 'shards'
  const has = (folder: string, what: (entry: string) => boolean) =>
    existsSync(folder) && statSync(folder).isDirectory() && readdirSync(folder).some(what)
  const train = join(path, 'train')
  if (has(path, isTar) || has(train, isTar)) return 'webdataset'
  if (existsSync(join(path, 'packing.json')))
    throw new InvalidArgument(`${path}: the packing there is not complete; go on with 'eraserelu pack'`)
  const isFolder = (folder: string) => (entry: string) =>
    statSync(join(folder, entry), { throwIfNoEntry: false })?.isDirectory() === true
  const val = join(path, 'val')
  if (!has(train, isFolder(train))) throw new InvalidArgument(`${path} has no images that are known. ${expected(path)}`)
  return existsSync(val) && !has(val, isFolder(val)) ? 'imagenet' : 'image-folder'
}

const expected = (path: string) =>
  `Looked for: ${path}/${indexFile} (packed shards), ${path}/*.tar or ${path}/train/*.tar (WebDataset), ${path}/train/CLASS/*.jpg (class folders).`

/** Opens what `imageKind` finds. */
export const imagesAt = (path: string, options: ImageFileOptions = {}): Promise<ImageFileSource> =>
  Promise.resolve(path).then(place => imageReaders[imageKind(place)](place, options))
