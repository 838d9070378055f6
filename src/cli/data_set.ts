/** The data set that the command line names. */
import { imageFolder, imageNet, list, open, type DataSource } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'

const sample = 'fashion-mnist-sample'

/** Data sets of image files, which are read while they are used. */
export const folders: Readonly<Record<string, typeof imageFolder>> = { 'image-folder': imageFolder, imagenet: imageNet }

/** Wrong names end a command before data are looked for. */
export function checkDataSet(command: string, name: string, dataPath: string | undefined): void {
  if (name in folders)
    throw new InvalidArgument(
      `${command}: --dataset ${name} is read by 'eraserelu train' alone (--test-only measures); here: ${list().join(', ')}`,
    )
  requireOneOf(command, '--dataset', name, list())
  if (dataPath !== undefined && name === sample)
    throw new InvalidArgument(`${command}: --data-path is for other data sets: ${sample} comes with the package`)
}

export async function openDataSet(command: string, name: string, dataPath: string | undefined): Promise<DataSource> {
  checkDataSet(command, name, dataPath)
  return open(name, dataPath === undefined ? {} : { dataPath })
}
