/** What `eraserelu train` trains on, as its settings say. */
import type { DataSource, ImageFileOptions, ImageFileSource } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { checkDataSet, dataSetAt, imageKinds, openData } from './data_set.js'
import type { GivenSettings, SettingKey, Settings } from './train_settings.js'

/** Settings of images that are read while they are used. */
export const imageKeys = [
  'train-crop-size',
  'val-crop-size',
  'val-resize-size',
  'workers',
  'prefetch',
  'max-corrupt',
  'color-jitter',
  'lighting',
  'random-erasing-value',
] as const
const forOthers = ['crop-padding', 'padding-mode', 'cutout'] as const

/** Wrong names, and flags of other data, end the command before data are looked for. */
export function checkTrainingData(command: string, settings: Settings): void {
  const { dataset, 'data-path': dataPath } = settings
  const isImages = checkDataSet(command, dataset, dataPath)
  const idle = (isImages ? forOthers : imageKeys).find((key: SettingKey) => settings[key] !== undefined)
  if (idle !== undefined)
    throw new InvalidArgument(
      `${command}: --${idle} is ${isImages ? 'not ' : ''}for images in files (--dataset ${imageKinds.join(', ')}), this is ${dataset}`,
    )
}

/** `all` with the data set that lies at `--data-path`, where `given`, a part of them, has that path and no name of a data set. */
export function withDataSet(all: GivenSettings, given: GivenSettings): GivenSettings {
  const { dataset: name, 'data-path': dataPath } = given
  if (name !== undefined || dataPath === undefined) return all
  const dataset = dataSetAt(all.dataset, dataPath)
  return { ...all, ...(dataset !== undefined && { dataset }) }
}

/** How the settings say that images are read. */
export function imageOptionsOf(settings: Settings): ImageFileOptions {
  const { 'train-crop-size': trainCropSize, 'val-crop-size': valCropSize, 'val-resize-size': valResizeSize } = settings
  const { workers, prefetch, flip, 'max-corrupt': maxCorrupt, normalize } = settings
  const { 'color-jitter': colorJitter, lighting } = settings
  const { 'random-erasing': randomErasing, 'random-erasing-value': erasingValue } = settings
  const given = {
    ...{ trainCropSize, valCropSize, valResizeSize, workers, prefetch, flip, maxCorrupt },
    ...{ colorJitter, lighting, randomErasing, erasingValue },
    ...(normalize === 'unit' && { mean: [0, 0, 0], std: [1, 1, 1] }),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** The data set of the settings, as its files are. */
export const openTrainingData = (command: string, settings: Settings): Promise<DataSource | ImageFileSource> =>
  openData(command, settings.dataset, settings['data-path'], imageOptionsOf(settings))
