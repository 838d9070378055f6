/** Writes a comparison's summary.json, its report.md and its curves; the report's table is also shown on the terminal. */
import { join } from 'node:path'
import { stringify } from 'yaml'
import { drawCurves, svgToPng } from './chart.js'
import type { ArmSummary, Summary } from './comparison_summary.js'
import { writeFileWhole } from '../runtime/durable_files.js'

export const writeSummary = (folder: string, summary: Summary) =>
  writeFileWhole(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)

export async function writeReport(folder: string, summary: Summary): Promise<void> {
  const curves = summary.arms.filter(({ epochs }) => epochs.length > 0).map(curveOf)
  if (curves.length > 0) {
    const { dataset } = summary
    const subtitle = `${dataset.name}: ${dataset.train} training images, ${dataset.test} test images, seed ${String(summary.settings.seed)}`
    const svg = await drawCurves(curves, { title: titleOf(summary), subtitle })
    await writeFileWhole(join(folder, 'curves.svg'), svg)
    await writeFileWhole(join(folder, 'curves.png'), await svgToPng(svg))
  }
  await writeFileWhole(join(folder, 'report.md'), reportOf(summary, curves.length > 0))
}

const curveOf = ({ name, epochs }: ArmSummary) => ({
  name,
  epochs: epochs.map(({ epoch }) => epoch),
  accuracy: epochs.map(({ test }) => test?.accuracy ?? NaN),
  loss: epochs.map(({ test }) => test?.loss ?? NaN),
})

const titleOf = ({ settings, arms }: Summary) => `${String(settings.model)}: ${arms.map(({ name }) => name).join(' vs ')}`

const decimals = (value: number | undefined, digits: number, unit = '') =>
  value === undefined ? '-' : `${value.toFixed(digits)}${unit}`
const percent = (value: number | undefined) => decimals(value && 100 * value, 2, ' %')
const megabytes = (bytes: number | undefined) => decimals(bytes && bytes / 1e6, 0, ' MB')

/** What the final table shows: a heading, then one line a quantity with its value for each arm. */
export function tableOf(summary: Summary): string[][] {
  const row = (name: string, value: (arm: ArmSummary) => string) => [name, ...summary.arms.map(value)]
  return [
    row('', arm => arm.name),
    row('Test accuracy', arm => percent(arm.epochs.at(-1)?.test?.accuracy)),
    row('Test loss', arm => decimals(arm.epochs.at(-1)?.test?.loss, 4)),
    row('Epochs', arm => `${arm.epochs.length} of ${String(summary.settings.epochs)}`),
    row('ReLUs kept', arm => `${arm.relus.kept}`),
    row('ReLUs erased', arm => `${arm.relus.erased}`),
    row('Training, images/s', arm => decimals(arm.imagesPerSecond, 0)),
    row('Seconds', arm => decimals(arm.seconds, 1)),
    row('Planned memory', arm => megabytes(arm.plannedBytes)),
    row('Peak memory of the process (both)', () => megabytes(summary.peakProcessBytes)),
  ]
}

/** One standard error of the accuracy of the last arm that has one, from the number of test images. */
function uncertainty({ arms, dataset }: Summary): string {
  const accuracy = arms.findLast(({ epochs }) => epochs.length > 0)?.epochs.at(-1)?.test?.accuracy
  if (accuracy === undefined || accuracy === 1) return ''
  const error = Math.sqrt((accuracy * (1 - accuracy)) / dataset.test)
  return (
    `One run of each: with ${dataset.test} test images the standard error of such an accuracy is ${percent(error)}, ` +
    'so a smaller difference says nothing about which network is better.'
  )
}

function reportOf(summary: Summary, pictured: boolean): string {
  const { status, reason, arms, settings, dataset, parameters, versions, machine, commandLine } = summary
  const [head, ...rows] = tableOf(summary)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const sections = [
    `# ${titleOf(summary)}`,
    status === 'completed' ? '' : `**${status}**: ${reason ?? ''}. What follows covers the epochs that were completed.`,
    `The same network trains twice on ${dataset.name} (${dataset.train} training and ${dataset.test} test images): ` +
      `${arms.map(({ name }) => name).join(' and ')}. Both have the same ${parameters} parameters, start from the same weights ` +
      'and see the same images in the same order.',
    [line(head!), line(head!.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n'),
    uncertainty(summary),
    pictured ? '![Test accuracy and test loss after each epoch](curves.png)' : '',
    '## Settings',
    `\`\`\`sh\n${commandLine}\n\`\`\``,
    `\`\`\`yaml\n${stringify(settings)}\`\`\``,
    `eraserelu ${versions.eraserelu}, Node.js ${versions.node}, ${versions.library}; ${machine.cpu}, ${machine.cores} cores, ` +
      `${machine.threads} threads, ${machine.instructions}.`,
    '## Files',
    '`summary.json` has all numbers of this page. Each run folder (`baseline/`, `erased/`) has `args.yaml` (settings), ' +
      '`metrics.jsonl` (every step), `summary.csv` (every epoch), `timing.jsonl`, curves, and `last/model.safetensors` (the weights).',
  ]
  return `${sections.filter(section => section !== '').join('\n\n')}\n`
}
