/** What `eraserelu data` does; loaded only when it runs. */
import { writeFile } from 'node:fs/promises'
import { channelStatistics } from '../data/dataset.js'
import { list, Loader, type DataSource, type ImageDataset, type ImageShape } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'
import { contactSheet } from './contact_sheet.js'
import type { DataOptions } from './data.js'
import { openDataSet } from './data_set.js'
import { printResult } from './json.js'
import { renderTable, unicodeOut } from './table.js'
import { prepared } from './train_setup.js'
import { defaults, type GivenSettings } from './train_settings.js'

/** What `--json` prints. */
export interface DataSummary {
  readonly dataset: string
  readonly classes: readonly string[]
  readonly train: PartSummary
  readonly test: PartSummary
  /** Of value/255 over the training images, one number a channel. */
  readonly measured: { readonly mean: readonly number[]; readonly std: readonly number[] }
  /** What a training takes away and divides by. */
  readonly normalised: { readonly mean: readonly number[]; readonly std: readonly number[] }
  readonly augment: DataSource['augment']
  /** The sheet that was written. */
  readonly grid?: string
}

interface PartSummary {
  readonly images: number
  readonly shape: ImageShape
  /** Images a class. */
  readonly perClass: readonly number[]
}

export async function showData(name: string, given: GivenSettings, options: DataOptions): Promise<void> {
  const { grid, stats = grid === undefined, json } = options
  requireOneOf('data', 'DATASET', name, list())
  if (grid !== undefined && !grid.toLowerCase().endsWith('.png'))
    throw new InvalidArgument(`data: --grid ${grid}: the sheet is a PNG file, give it a name that ends in .png`)
  const settings = { ...defaults, ...given }
  const source = prepared(await openDataSet('data', name, settings['data-path']), settings)
  if (grid !== undefined) await writeGrid(source, settings.seed, grid, options)
  if (!stats && !json) return void process.stdout.write(`${grid}\n`)
  printResult({ ...summaryOf(source), ...(grid !== undefined && { grid }) }, options, textOf)
}

async function writeGrid(source: DataSource, seed: number, file: string, { count, epoch }: DataOptions): Promise<void> {
  const batchSize = Math.min(count, source.train.size)
  const loader = new Loader(source.train, { batchSize, seed, shuffle: true, augment: source.augment })
  const [batch] = loader.batches(epoch)
  await writeFile(file, await contactSheet(source, batch!)).catch((error: unknown) => {
    throw new InvalidArgument(`data: --grid ${file}: cannot be written (${(error as Error).message})`, { cause: error })
  })
}

function summaryOf(source: DataSource): DataSummary {
  const { name: dataset, train, test, mean, std, augment } = source
  const part = ({ size: images, shape, labels, numClasses }: ImageDataset): PartSummary => {
    const perClass = Array<number>(numClasses).fill(0)
    for (const label of labels) perClass[label]! += 1
    return { images, shape, perClass }
  }
  const classes = train.classNames ?? Array.from({ length: train.numClasses }, (_, label) => String(label))
  const normalised = { mean, std }
  return { dataset, classes, train: part(train), test: part(test), measured: channelStatistics(train), normalised, augment }
}

function textOf({ dataset, classes, train, test, measured, normalised, augment, grid }: DataSummary): string {
  const rows = classes.map((name, label) => [name, `${train.perClass[label]}`, `${test.perClass[label]}`])
  const numbers = (values: readonly number[]) => values.map(value => value.toFixed(4)).join(' ')
  const { pad, padMode, flip, cutout } = augment
  const changes = [
    ...(pad > 0 ? [`random crop after ${pad} pixels of padding (${padMode})`] : []),
    ...(flip ? ['random flip'] : []),
    ...(cutout > 0 ? [`cutout of ${cutout}x${cutout}`] : []),
  ]
  return [
    `${dataset}: ${train.images} training images, ${test.images} test images, ${train.shape.join('x')}, ${classes.length} classes`,
    renderTable([['Class', 'Training', 'Test'], ...rows], { unicode: unicodeOut() }),
    `Pixels / 255, training images: mean ${numbers(measured.mean)}, standard deviation ${numbers(measured.std)}`,
    `Normalised by:                 mean ${numbers(normalised.mean)}, standard deviation ${numbers(normalised.std)}`,
    `Augmentation: ${changes.join(', ') || 'none'}`,
    ...(grid === undefined ? [] : [`Sheet: ${grid}`]),
  ].join('\n')
}
