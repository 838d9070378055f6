/** What `eraserelu data` does; loaded only when it runs. */
import { writeFile } from 'node:fs/promises'
import { channelStatistics } from '../data/dataset.js'
import type { DataSource, ImageDataset, ImageFileSet, ImageFileSource, ImageShape } from '../data/index.js'
import { checkMix } from '../data/mix.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'
import { seenImages } from '../train/seen_images.js'
import { contactSheet } from './contact_sheet.js'
import type { DataOptions } from './data.js'
import { readImages, textOfRead, type ImagesRead } from './data_images.js'
import { dataNames, dataSetAt, sizesOf } from './data_set.js'
import { printResult } from './json.js'
import { renderTable, unicodeOut } from './table.js'
import { prepared } from './train_setup.js'
import { defaults, type GivenSettings, type Settings } from './train_settings.js'
import { checkTrainingData, openTrainingData } from './training_data.js'

/** What `--json` prints. */
export interface DataSummary {
  readonly dataset: string
  readonly classes: readonly string[]
  readonly train: PartSummary
  readonly test: PartSummary
  /** Of value/255 over the training images, one number a channel; of image files, resized as for an evaluation, with --stats. */
  readonly measured?: { readonly mean: readonly number[]; readonly std: readonly number[] }
  /** What a training takes away and divides by. */
  readonly normalised: { readonly mean: readonly number[]; readonly std: readonly number[] }
  /** Of images in memory; of image files what is not the default. */
  readonly augment: DataSource['augment'] | Partial<ImageFileSource['options']>
  /** Sizes of image files, and those that cannot be read; with --stats. */
  readonly files?: Pick<ImagesRead, 'train' | 'test'>
  /** The sheet that was written. */
  readonly grid?: string
}

interface PartSummary {
  readonly images: number
  readonly shape: ImageShape
  /** Images a class. */
  readonly perClass: readonly number[]
}

export async function showData(named: string | undefined, given: GivenSettings, options: DataOptions): Promise<void> {
  const { grid, stats = grid === undefined, json } = options
  const name = named ?? dataSetAt(undefined, given['data-path'])
  if (name === undefined) throw new InvalidArgument('data: name a data set, or give --data-path, where images are')
  requireOneOf('data', 'DATASET', name, dataNames())
  if (grid !== undefined && !grid.toLowerCase().endsWith('.png'))
    throw new InvalidArgument(`data: --grid ${grid}: the sheet is a PNG file, give it a name that ends in .png`)
  const settings = { ...defaults, ...given, dataset: name }
  checkTrainingData('data', settings)
  const whole = await openTrainingData('data', settings)
  const source = 'kind' in whole ? whole : prepared(whole, settings)
  if (grid !== undefined) await writeGrid(source, settings, grid, options)
  if (!stats && !json) return void process.stdout.write(`${grid}\n`)
  const summary = 'kind' in source ? await filesSummaryOf(source, stats) : summaryOf(source)
  printResult({ ...summary, ...(grid !== undefined && { grid }) }, options, textOf)
}

async function writeGrid(
  source: DataSource | ImageFileSource,
  { seed, mixup, cutmix }: Settings,
  file: string,
  { count, epoch }: DataOptions,
): Promise<void> {
  const batchSize = Math.min(count, sizesOf(source).train)
  checkMix('data', { mixup, cutmix }, batchSize)
  const seen = await seenImages(source, epoch, { batchSize, seed, accumulate: 1, mixup, cutmix })
  await writeFile(file, await contactSheet(source, seen)).catch((error: unknown) => {
    throw new InvalidArgument(`data: --grid ${file}: cannot be written (${(error as Error).message})`, { cause: error })
  })
}

function summaryOf(source: DataSource): DataSummary {
  const { name: dataset, train, test, mean, std, augment } = source
  const part = ({ shape, labels, numClasses }: ImageDataset) => partOf(labels, shape, numClasses)
  const classes = train.classNames ?? Array.from({ length: train.numClasses }, (_, label) => String(label))
  const normalised = { mean, std }
  return { dataset, classes, train: part(train), test: part(test), measured: channelStatistics(train), normalised, augment }
}

function partOf(labels: Int32Array, shape: ImageShape, numClasses: number): PartSummary {
  const perClass = Array<number>(numClasses).fill(0)
  for (const label of labels) perClass[label]! += 1
  return { images: labels.length, shape, perClass }
}

/** The shapes are those that training and evaluation see. `stats`: all images are read. */
async function filesSummaryOf(source: ImageFileSource, stats: boolean): Promise<DataSummary> {
  const { name: dataset, train, test, shape, testShape, numClasses, classNames: classes, mean, std, options } = source
  const part = (set: ImageFileSet | undefined, size: ImageShape) => partOf(set?.labels ?? new Int32Array(), size, numClasses)
  const { flip, colorJitter, lighting, randomErasing, erasingValue } = options
  const augment = { flip, colorJitter, lighting, randomErasing, erasingValue }
  const summary = { dataset, classes, train: part(train, shape), test: part(test, testShape), normalised: { mean, std }, augment }
  if (!stats) return summary
  const { measured, ...files } = await readImages(source)
  return { ...summary, measured, files }
}

function textOf({ dataset, classes, train, test, measured, normalised, augment, files, grid }: DataSummary): string {
  const rows = classes.map((name, label) => [name, `${train.perClass[label]}`, `${test.perClass[label]}`])
  const numbers = (values: readonly number[]) => values.map(value => value.toFixed(4)).join(' ')
  const changes = changesIn(augment)
  return [
    `${dataset}: ${train.images} training images, ${test.images} test images, ${train.shape.join('x')}, ${classes.length} classes`,
    renderTable([['Class', 'Training', 'Test'], ...rows], { unicode: unicodeOut() }),
    ...(measured
      ? [`Pixels / 255, training images: mean ${numbers(measured.mean)}, standard deviation ${numbers(measured.std)}`]
      : []),
    `Normalised by:                 mean ${numbers(normalised.mean)}, standard deviation ${numbers(normalised.std)}`,
    `Augmentation: ${changes.join(', ') || 'none'}`,
    ...(files ? textOfRead(files) : []),
    ...(grid === undefined ? [] : [`Sheet: ${grid}`]),
  ].join('\n')
}

function changesIn(augment: DataSummary['augment']): string[] {
  const { flip, randomErasing = 0 } = augment
  const erasing = randomErasing > 0 ? [`random erasing of ${100 * randomErasing} % of the images`] : []
  const mirror = flip ? ['random flip'] : []
  if ('pad' in augment) {
    const { pad, padMode, cutout } = augment
    return [
      ...(pad > 0 ? [`random crop after ${pad} pixels of padding (${padMode})`] : []),
      ...mirror,
      ...(cutout > 0 ? [`cutout of ${cutout}x${cutout}`] : []),
      ...erasing,
    ]
  }
  const { colorJitter = [0, 0, 0], lighting = 0 } = augment
  return [
    'random-resized crop',
    ...mirror,
    ...(colorJitter.some(x => x > 0) ? [`colour jitter of ${colorJitter.join(', ')}`] : []),
    ...(lighting > 0 ? [`lighting of ${lighting}`] : []),
    ...erasing,
  ]
}
