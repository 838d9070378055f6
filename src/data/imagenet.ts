/** ImageNet (ILSVRC 2012) as it lies on most disks: class folders for training; class folders or one flat folder for validation. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { classFolders, entriesOf, isImage, trainingSet } from './image_folder.js'
import {
  checkedImageFileOptions,
  imageFileSource,
  type ImageFileOptions,
  type ImageFileSet,
  type ImageFileSource,
} from './image_files.js'

/** Files that say which class each validation image has, by what people have beside a flat folder. */
const truthFiles = ['LOC_val_solution.csv', 'imagenet_2012_validation_synset_labels.txt', 'val.txt']

/**
 * Training data from `folder`/train/CLASS/*.JPEG and `folder`/val: class folders as those of train, or all images in one folder
 * with a file of their classes in `folder` or in val: LOC_val_solution.csv (image, class …), val.txt (image, class or its number), or
 * imagenet_2012_validation_synset_labels.txt (a class a line, in the order of the images' names). Classes are numbered in the
 * order of their names. Throws InvalidArgument where the folders are not as that.
 */
export async function imageNet(folder: string, options: ImageFileOptions = {}): Promise<ImageFileSource> {
  const checked = checkedImageFileOptions('data.imageNet', options)
  const { train, classNames } = await trainingSet(folder)
  const test = existsSync(join(folder, 'val')) ? await validationSet(folder, classNames) : undefined
  return imageFileSource('imagenet', { train, test, classNames }, checked)
}

async function validationSet(folder: string, classNames: readonly string[]): Promise<ImageFileSet> {
  const { files, folders } = await entriesOf(join(folder, 'val'))
  if (folders.length > 0) return classFolders(folder, 'val', classNames)
  const images = files.filter(file => isImage(file, join(folder, 'val')))
  const places = truthFiles.flatMap(name => [join(folder, name), join(folder, 'val', name)])
  const truth = places.find(existsSync)
  if (truth === undefined)
    throw new InvalidArgument(
      `${join(folder, 'val')} has no class folders, and no file says the classes of its images. One of ${truthFiles.join(', ')} is ` +
        `looked for in ${folder} and ${join(folder, 'val')}.`,
    )
  const labels = await labelsFrom(truth, images, classNames)
  return { root: folder, names: images.map(file => `val/${file}`), labels }
}

async function labelsFrom(truth: string, images: readonly string[], classNames: readonly string[]): Promise<Int32Array> {
  const lines = (await readFile(truth, 'utf8')).split(/\r?\n/).filter(line => line.trim() !== '')
  const rows = lines.map(line => line.trim().split(/[\s,]+/))
  if (rows[0]?.[0] === 'ImageId') rows.shift()
  const numbers = new Map(classNames.map((name, number) => [name, number]))
  const classOf = (text: string, row: number) => {
    const number = numbers.get(text) ?? (/^\d+$/.test(text) ? Number(text) : -1)
    if (number >= 0 && number < classNames.length) return number
    throw new InvalidArgument(`${truth}: entry ${row + 1} names the class '${text}'; known are the folders of train`)
  }
  const stem = (file: string) => file.replace(/\.\w+$/, '')
  if (rows[0]?.length === 1) {
    if (rows.length !== images.length)
      throw new InvalidArgument(`${truth} has ${rows.length} lines for ${images.length} images: one a line is expected`)
    return Int32Array.from(rows, ([name], row) => classOf(name!, row))
  }
  const byImage = new Map(rows.map(([image, name], row) => [stem(image!), classOf(name ?? '', row)]))
  return Int32Array.from(images, image => {
    const label = byImage.get(stem(image))
    if (label === undefined) throw new InvalidArgument(`${truth} does not say the class of ${image}`)
    return label
  })
}
