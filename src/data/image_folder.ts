/** A folder of images in torchvision's layout: train/CLASS/…, and val/CLASS/… for evaluation. */
import { existsSync, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { InvalidArgument, Unsupported } from '../runtime/errors.js'
import { didYouMean } from '../runtime/suggest.js'
import {
  checkedImageFileOptions,
  imageFileSource,
  type ImageFileOptions,
  type ImageFileSet,
  type ImageFileSource,
} from './image_files.js'

const readable = new Set(['.jpg', '.jpeg', '.png', '.ppm'])
/** Those that torchvision would take. */
const unreadable = new Set(['.bmp', '.pgm', '.tif', '.tiff', '.webp'])

const layout = (folder: string) => `Expected: ${folder}/train/CLASS/*.jpg, and ${folder}/val/CLASS/*.jpg for evaluation.`

/**
 * Training data from `folder`/train and, where it exists, `folder`/val: a folder a class in each, whose JPEG, PNG and PPM files are
 * its images, those in folders below included. Classes are numbered in the order of their names. Throws InvalidArgument where
 * the folders are not as that, and Unsupported for images of other kinds.
 */
export async function imageFolder(folder: string, options: ImageFileOptions = {}): Promise<ImageFileSource> {
  const checked = checkedImageFileOptions('data.imageFolder', options)
  const { train, classNames } = await trainingSet(folder)
  const test = existsSync(join(folder, 'val')) ? await classFolders(folder, 'val', classNames) : undefined
  return imageFileSource(basename(resolve(folder)), { train, test, classNames }, checked)
}

/** The training images of a folder, and its classes. */
export async function trainingSet(folder: string): Promise<{ train: ImageFileSet; classNames: string[] }> {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new InvalidArgument(`${folder}: there is no such folder`)
  if (!existsSync(join(folder, 'train'))) throw new InvalidArgument(`${folder} has no folder 'train'. ${layout(folder)}`)
  const classNames = (await entriesOf(join(folder, 'train'))).folders
  if (classNames.length === 0)
    throw new InvalidArgument(`${join(folder, 'train')} has no folders, one a class. ${layout(folder)}`)
  const train = await classFolders(folder, 'train', classNames)
  return { train, classNames }
}

/** The images in `folder`/`part`/CLASS. */
export async function classFolders(folder: string, part: string, classNames: readonly string[]): Promise<ImageFileSet> {
  const numbers = new Map(classNames.map((name, number) => [name, number]))
  const names: string[] = []
  const labels: number[] = []
  for (const name of (await entriesOf(join(folder, part))).folders) {
    const label = numbers.get(name)
    if (label === undefined)
      throw new InvalidArgument(
        `${join(folder, part, name)}: there is no class '${name}' in ${join(folder, 'train')}.${didYouMean(name, classNames)}`,
      )
    const before = names.length
    for await (const file of imagesBelow(folder, `${part}/${name}`)) names.push(file)
    for (let i = before; i < names.length; ++i) labels.push(label)
    if (part === 'train' && names.length === before)
      throw new InvalidArgument(`${join(folder, part, name)}: a class without images; JPEG, PNG and PPM files are read`)
  }
  if (names.length === 0)
    throw new InvalidArgument(`${join(folder, part)}: there are no images in folders, one a class. ${layout(folder)}`)
  return { root: folder, names, labels: Int32Array.from(labels) }
}

/** The names of what a folder holds, sorted; links count as what they lead to. */
export async function entriesOf(folder: string): Promise<{ files: string[]; folders: string[] }> {
  const files: string[] = []
  const folders: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const what = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => entry) : entry
    if (what.isDirectory()) folders.push(entry.name)
    else files.push(entry.name)
  }
  return { files: files.sort(), folders: folders.sort() }
}

async function* imagesBelow(root: string, folder: string): AsyncGenerator<string, void> {
  const { files, folders } = await entriesOf(join(root, folder))
  for (const file of files) if (isImage(file, join(root, folder))) yield `${folder}/${file}`
  for (const name of folders) yield* imagesBelow(root, `${folder}/${name}`)
}

/** Whether it is read. Files that are no images are passed over; images of other kinds are not, as they would be missed. */
export function isImage(file: string, folder: string): boolean {
  const extension = extname(file).toLowerCase()
  if (unreadable.has(extension))
    throw new Unsupported(`${join(folder, file)}: JPEG, PNG and PPM files are read, not ${extension}; convert or remove it`)
  return readable.has(extension) && !file.startsWith('.')
}
