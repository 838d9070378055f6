/** Data for a trained network to look at: its images are seen as in the evaluations of its training, and normalised as there. */
import type { DataSource, ImageFileOptions, ImageFileSource } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { dataNames, dataSetAt, openData } from './data_set.js'
import { lookKeys } from './look_options.js'
import { givenSettings, type GivenSettings } from './train_settings.js'
import type { TrainedModel } from './trained_model.js'

/** Where the data are; `dataset` undefined: what lies there, or what it was trained on. */
export interface DataPlace {
  readonly dataset?: string | undefined
  readonly dataPath?: string | undefined
}

export async function dataFor(
  command: string,
  trained: TrainedModel,
  { dataset, dataPath }: DataPlace,
  flags: object,
): Promise<DataSource | ImageFileSource> {
  const before = trained.metadata.dataset
  const name = dataset ?? dataSetAt(before, dataPath) ?? before
  if (!dataNames().includes(name) && dataset === undefined)
    throw new InvalidArgument(
      `${command}: the network was trained on '${name}': give --data-path, where images are, or --dataset`,
    )
  return trained.normalised(await openData(command, name, dataPath, lookOf(trained, givenSettings(lookKeys, flags))))
}

/** How the network looks at images in files. */
export function lookOf({ metadata }: TrainedModel, given: GivenSettings): ImageFileOptions {
  const { input, val_crop_size: crop = input[0], val_resize_size: resize = Math.round((crop * 256) / 224) } = metadata
  const { 'val-crop-size': valCropSize = crop, workers, 'max-corrupt': maxCorrupt } = given
  const { 'val-resize-size': valResizeSize = Math.max(resize, valCropSize) } = given
  return {
    valCropSize,
    valResizeSize,
    ...(workers !== undefined && { workers }),
    ...(maxCorrupt !== undefined && { maxCorrupt }),
  }
}
