/** The data set that the command line names. */
import { list, open, type DataSource } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'

const sample = 'fashion-mnist-sample'

/** Wrong names end a command before data are looked for. */
export function checkDataSet(command: string, name: string, dataPath: string | undefined): void {
  requireOneOf(command, '--dataset', name, list())
  if (dataPath !== undefined && name === sample)
    throw new InvalidArgument(`${command}: --data-path is for other data sets: ${sample} comes with the package`)
}

export async function openDataSet(command: string, name: string, dataPath: string | undefined): Promise<DataSource> {
  checkDataSet(command, name, dataPath)
  return open(name, dataPath === undefined ? {} : { dataPath })
}
