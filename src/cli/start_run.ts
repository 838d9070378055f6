/** What `eraserelu start` does; loaded only when it runs. */
import { join, resolve } from 'node:path'
import { data, devices, models } from '../index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'
import { compare } from '../train/comparison.js'
import { progressOn, speaksUnicode } from '../train/progress.js'
import { tableOf } from '../train/report.js'
import { interruptible } from './interrupt.js'
import { defaultFolder, sample, type StartOptions } from './start.js'
import { renderTable } from './table.js'

const command = 'start'

export async function start(options: StartOptions): Promise<void> {
  const { dataset, dataPath, outputDir: folder, erase, eraseProportion, ...training } = options
  const { stdout } = process
  checkNames(options)
  const source = await data.open(dataset, dataPath === undefined ? {} : { dataPath })
  const replace = resolve(folder) === resolve(defaultFolder)
  const settings = { ...training, data: source, erase: { location: erase, proportion: eraseProportion } }
  const progress = progressOn(stdout, { trainings: 2, epochs: training.epochs })
  const summary = await interruptible(
    () => progress.say('Stopping: what was measured is being written. Ctrl-C again quits at once.'),
    signal => compare(settings, { folder, replace, command, commandLine: commandLine(), progress, signal }),
  )
  stdout.write(`${renderTable(tableOf(summary), { unicode: stdout.isTTY && speaksUnicode() })}\n`)
  const status = summary.status === 'completed' ? '' : ` (${summary.status})`
  const picture = summary.arms.some(({ epochs }) => epochs.length > 0) ? `, curves: ${join(folder, 'curves.png')}` : ''
  stdout.write(`Results${status}: ${join(folder, 'report.md')}${picture}\n`)
}

/** Wrong names end the command before data is looked for or anything is written. */
function checkNames({ model, dataset, dataPath, device }: StartOptions): void {
  requireOneOf(command, '--model', model, models.list())
  requireOneOf(command, '--dataset', dataset, data.list())
  requireOneOf(command, '--device', device, devices())
  if (dataPath !== undefined && dataset === sample) {
    throw new InvalidArgument(`${command}: --data-path is for --dataset fashion-mnist; ${sample} comes with the package`)
  }
}

/** The command as it was typed, for a shell. */
function commandLine(): string {
  const quoted = process.argv
    .slice(2)
    .map(word => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
  return ['eraserelu', ...quoted].join(' ')
}
