/** What `eraserelu start` does; loaded only when it runs. */
import { join, resolve } from 'node:path'
import { devices } from '../index.js'
import { build } from '../models/registry.js'
import { requireOneOf } from '../runtime/options.js'
import { compare } from '../train/comparison.js'
import { progressOn } from '../train/progress.js'
import { tableOf } from '../train/report.js'
import { checkInMemory, openDataSet } from './data_set.js'
import { interruptible } from './interrupt.js'
import { defaultFolder, type StartOptions } from './start.js'
import { renderTable, unicodeOut } from './table.js'
import { complete, defaults, type CompleteSettings, type GivenSettings } from './train_settings.js'

const command = 'start'

export async function start(flags: GivenSettings, { erase: location, outputDir: folder }: StartOptions): Promise<void> {
  const settings = complete({ ...defaults, ...flags, precision: 'f32' })
  const { model, dataset, 'data-path': dataPath, epochs, lr, seed, device } = settings
  const { stdout } = process
  checkNames(settings)
  const replace = resolve(folder) === resolve(defaultFolder)
  const comparison = {
    model,
    data: await openDataSet(command, dataset, dataPath),
    dataPath,
    epochs,
    batchSize: settings['batch-size'],
    lr,
    weightDecay: settings['weight-decay'],
    seed,
    device,
    erase: { location, proportion: settings['erase-proportion'] },
  }
  const progress = progressOn(stdout, { trainings: 2, epochs })
  const summary = await interruptible(
    () => progress.say('Stopping: what was measured is being written. Ctrl-C again quits at once.'),
    signal => compare(comparison, { folder, replace, command, commandLine: commandLine(), progress, signal }),
  )
  stdout.write(`${renderTable(tableOf(summary), { unicode: unicodeOut() })}\n`)
  const status = summary.status === 'completed' ? '' : ` (${summary.status})`
  const picture = summary.arms.some(({ epochs }) => epochs.length > 0) ? `, curves: ${join(folder, 'curves.png')}` : ''
  stdout.write(`Results${status}: ${join(folder, 'report.md')}${picture}\n`)
}

/** Wrong names end the command before data is looked for or anything is written. */
function checkNames({ model, dataset, 'data-path': dataPath, device }: CompleteSettings): void {
  build(model)
  checkInMemory(command, dataset, dataPath)
  requireOneOf(command, '--device', device, devices())
}

/** The command as it was typed, for a shell. */
function commandLine(): string {
  const quoted = process.argv
    .slice(2)
    .map(word => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
  return ['eraserelu', ...quoted].join(' ')
}
