/**
 * Trains one network twice, as published and with ReLUs erased: same seed, same initial weights, same order of images.
 * Leaves a folder with a report, a picture of the curves, a summary and one run folder for each.
 */
import type { EraseOptions } from '../erase.js'
import { Arm, plain, type ArmOptions, type ComparisonSettings } from './comparison_arm.js'
import { environmentOf, type Summary } from './comparison_summary.js'
import { prepareOutputFolder } from './output_folder.js'
import { writeReport, writeSummary } from './report.js'

export interface ComparisonOptions extends ArmOptions {
  /** Whether results of an earlier comparison may be replaced. */
  replace: boolean
  /** What the user called, for the files. */
  command: string
  commandLine: string
}

/** What `compare` writes in its folder. */
const names = ['summary.json', 'report.md', 'curves.svg', 'curves.png', 'baseline', 'erased'] as const

/**
 * Wrong settings are found before anything is written. Where it is stopped by the signal it returns, and where it fails it
 * throws, after having written what was measured.
 */
export async function compare(settings: ComparisonSettings, options: ComparisonOptions): Promise<Summary> {
  const { folder, command, replace, progress, signal } = options
  const untouched = { ...settings, erase: { ...settings.erase, proportion: 0 } }
  const arms = [new Arm(untouched, 'as published', 'baseline'), new Arm(settings, labelOf(settings.erase), 'erased')]
  const summary = summaryOf(settings, options, arms)
  const start = performance.now()
  const measure = async () => {
    summary.seconds = (performance.now() - start) / 1000
    summary.peakProcessBytes = process.resourceUsage().maxRSS * 1024
    await writeSummary(folder, summary)
  }
  const replaced = await prepareOutputFolder(folder, { command, names, replace })
  if (replaced) progress.say(`Replacing the results of an earlier '${command}' in ${folder}.`)
  await measure()
  try {
    for (const arm of arms) await arm.train(options, measure)
    summary.status = 'completed'
  } catch (error) {
    const stopped = error === signal.reason
    summary.status = stopped ? 'stopped early' : 'failed'
    summary.reason = (error as Error).message
    if (!stopped) throw error
  } finally {
    progress.end()
    await measure()
    await writeReport(folder, summary)
  }
  return summary
}

/** 'last ReLU erased', 'ReLU 0 erased in 50 % of blocks' */
function labelOf({ location = 'last', proportion = 1 }: EraseOptions): string {
  const which = typeof location === 'number' ? `ReLU ${location}` : `${location} ReLU`
  return proportion === 1 ? `${which} erased` : `${which} erased in ${+(100 * proportion).toFixed(1)} % of blocks`
}

function summaryOf(settings: ComparisonSettings, { command, commandLine }: ComparisonOptions, arms: readonly Arm[]): Summary {
  const { data, device } = settings
  return {
    command,
    commandLine,
    status: 'running',
    settings: { ...plain(settings), augment: data.augment },
    dataset: { name: data.name, train: data.train.size, test: data.test.size },
    parameters: arms[0]!.model.parameterCount(),
    arms: arms.map(({ summary }) => summary),
    peakProcessBytes: 0,
    seconds: 0,
    ...environmentOf(device),
  }
}
