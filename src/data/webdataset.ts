/** WebDataset: tar files of samples, the members of a sample having one name before the first dot: 000017.jpg, 000017.cls. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { entriesOf } from './image_folder.js'
import {
  checkedImageFileOptions,
  imageFileSource,
  type ImageFileOptions,
  type ImageFileSet,
  type ImageFileSource,
} from './image_files.js'
import { samplesOf, type TarSample } from './webdataset_index.js'

const layout = (folder: string) =>
  `Expected: tar files in ${folder}/train and ${folder}/val, or ${folder}/*train*.tar and ${folder}/*val*.tar, or ${folder}/*.tar alone.`

/**
 * Training data from tar files: those in `path`/train and `path`/val, or those of `path` with 'train' and 'val' in their names, or
 * all of them, or the one that `path` is. A sample has a jpg, jpeg, png or ppm, and its class number as text (cls) or in an object (json:
 * `label` or `cls`). Names of the classes come from `path`/classes.txt, one a line, where that is. The tar files are read through
 * once for where samples lie; that is kept in the cache (`~/.cache/eraserelu/tar`). Throws InvalidArgument that names tar file and byte.
 */
export async function webDataset(path: string, options: ImageFileOptions = {}): Promise<ImageFileSource> {
  const checked = checkedImageFileOptions('data.webDataset', options)
  const { root, train, val } = await partsOf(path)
  const sets = { train: await setOf(root, train), test: val.length > 0 ? await setOf(root, val) : undefined }
  const classNames = await classNamesOf(root, sets.train)
  for (const set of [sets.train, sets.test]) if (set) checkLabels(set, classNames)
  return imageFileSource(basename(resolve(path)), { ...sets, classNames }, checked)
}

/** Tar files, relative to `root`, sorted. */
interface Parts {
  readonly root: string
  readonly train: readonly string[]
  readonly val: readonly string[]
}

export const isTar = (file: string): boolean => file.toLowerCase().endsWith('.tar')
const tarsIn = async (folder: string) => (await entriesOf(folder)).files.filter(isTar)

async function partsOf(path: string): Promise<Parts> {
  if (!existsSync(path)) throw new InvalidArgument(`${path}: there is no such folder or tar file`)
  if (!statSync(path).isDirectory()) return { root: dirname(path), train: [basename(path)], val: [] }
  const below = async (part: string) =>
    existsSync(join(path, part)) ? (await tarsIn(join(path, part))).map(file => `${part}/${file}`) : []
  const train = await below('train')
  if (train.length > 0) return { root: path, train, val: await below('val') }
  const all = await tarsIn(path)
  if (all.length === 0) throw new InvalidArgument(`${path} has no tar files. ${layout(path)}`)
  const words = all.map(file => file.toLowerCase().split(/[^a-z]+/))
  const having = (...names: string[]) => all.filter((_, i) => names.some(name => words[i]!.includes(name)))
  const parts = { train: having('train', 'training'), val: having('val', 'valid', 'validation', 'test') }
  if (parts.train.length + parts.val.length === 0) return { root: path, train: all, val: [] }
  const unclear = all.filter(file => parts.train.includes(file) === parts.val.includes(file))
  if (unclear.length > 0 || parts.train.length === 0)
    throw new InvalidArgument(
      `${path}: ${unclear[0] ?? 'no tar file'} is ${unclear.length > 0 ? 'not clearly ' : ''}for training. ${layout(path)}`,
    )
  return { root: path, ...parts }
}

/** Tar files that are read at a time. */
const atOnce = 8

async function setOf(root: string, paths: readonly string[]): Promise<ImageFileSet> {
  const lists = new Array<readonly TarSample[]>(paths.length)
  let next = 0
  const work = async () => {
    for (let i = next++; i < paths.length; i = next++) lists[i] = await samplesOf(join(root, paths[i]!))
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const empty = lists.findIndex(list => list.length === 0)
  if (empty >= 0) throw new InvalidArgument(`${join(root, paths[empty]!)} has no samples`)
  const samples = lists.flat()
  const numbers = (key: 'offset' | 'length') => Float64Array.from(samples, sample => sample[key])
  const files = Int32Array.from(lists.flatMap((list, file) => list.map(() => file)))
  return {
    root,
    names: samples.map(({ name }) => name),
    labels: Int32Array.from(samples, ({ label }) => label),
    pieces: { paths, files, offsets: numbers('offset'), lengths: numbers('length') },
  }
}

const namesFile = 'classes.txt'

/** Without a file of them: the numbers, in as many digits as the largest has, so that they are sorted as they count. */
async function classNamesOf(root: string, { labels }: ImageFileSet): Promise<string[]> {
  const file = join(root, namesFile)
  if (existsSync(file)) return (await readFile(file, 'utf8')).split(/\r?\n/).filter(line => line !== '')
  const count = labels.reduce((most, label) => Math.max(most, label + 1), 0)
  return Array.from({ length: count }, (_, label) => String(label).padStart(String(count - 1).length, '0'))
}

function checkLabels({ root, names, labels, pieces }: ImageFileSet, classNames: readonly string[]): void {
  const wrong = labels.findIndex(label => label >= classNames.length)
  if (wrong < 0) return
  const { paths, files } = pieces!
  const known = existsSync(join(root, namesFile)) ? `${join(root, namesFile)} names` : 'the training samples have'
  throw new InvalidArgument(
    `${join(root, paths[files[wrong]!]!)}: '${names[wrong]!}' has class ${labels[wrong]!}, but ${known} ${classNames.length} (0 to ${classNames.length - 1})`,
  )
}
