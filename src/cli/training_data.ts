/** What `eraserelu train` can train on beside the data sets that fit into memory: folders of images. */
import { list, type ImageFileSource } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'
import { checkDataSet, folders } from './data_set.js'
import type { SettingKey, Settings } from './train_settings.js'

/** The names that `--dataset` of `train` knows. */
export const trainingDataNames = (): string[] => [...list(), ...Object.keys(folders)]

const forFolders = [
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
const forOthers = ['crop-padding', 'padding-mode', 'cutout', 'train-images'] as const

/** Wrong names, and flags of other data, end the command before data are looked for. */
export function checkTrainingData(command: string, settings: Settings): void {
  const { dataset, 'data-path': dataPath } = settings
  requireOneOf(command, '--dataset', dataset, trainingDataNames())
  const isFolder = dataset in folders
  const idle = (isFolder ? forOthers : forFolders).find((key: SettingKey) => settings[key] !== undefined)
  if (idle !== undefined)
    throw new InvalidArgument(
      `${command}: --${idle} is ${isFolder ? 'not ' : ''}for --dataset ${Object.keys(folders).join(' and ')}, this is ${dataset}`,
    )
  if (!isFolder) checkDataSet(command, dataset, dataPath)
  else if (dataPath === undefined)
    throw new InvalidArgument(`${command}: --dataset ${dataset} needs --data-path, the folder with train/CLASS/*.jpg`)
}

/** The folder of images that the settings name, read as they say; undefined: they name another data set. */
export async function openImages(settings: Settings): Promise<ImageFileSource | undefined> {
  const { dataset, 'data-path': dataPath } = settings
  const open = folders[dataset]
  if (!open || dataPath === undefined) return undefined
  const { 'train-crop-size': trainCropSize, 'val-crop-size': valCropSize, 'val-resize-size': valResizeSize } = settings
  const { workers, prefetch, flip, 'max-corrupt': maxCorrupt, normalize } = settings
  const {
    'color-jitter': colorJitter,
    lighting,
    'random-erasing': randomErasing,
    'random-erasing-value': erasingValue,
  } = settings
  const plain = normalize === 'unit' ? { mean: [0, 0, 0], std: [1, 1, 1] } : {}
  const erasing = { randomErasing, erasingValue }
  const given = {
    trainCropSize,
    valCropSize,
    valResizeSize,
    workers,
    prefetch,
    flip,
    colorJitter,
    lighting,
    ...erasing,
    maxCorrupt,
    ...plain,
  }
  return open(dataPath, Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))
}
