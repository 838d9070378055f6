// The folder that holds a comparison: bench.json (every sample), bench.md (the tables) and bench.svg. Rows are measured one by one, and
// a row that is measured again takes the place of what stood there.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgument } from '../src/runtime/errors.js'
import { drawComparison } from './comparison_chart.js'
import { detailTable, summaryTable, type WorkloadResult } from './comparison_tables.js'

/** Rows of one file are from one machine: ratios of different ones do not belong into one table. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly threads: number
  readonly node: string
}

/** How a row was measured. */
export interface Circumstances {
  readonly commandLine: string
  readonly date: string
  /** Of the sources; with a plus where they have changed since. */
  readonly commit: string | undefined
  readonly rounds: number
  readonly steps: number
}

export type RecordedRow = WorkloadResult & Circumstances

/** What bench.json holds. */
export interface ComparisonReport extends Machine {
  readonly results: readonly RecordedRow[]
}

/** Makes the folder; what it already holds. Throws InvalidArgument where that is from another machine. */
export async function openComparison(folder: string, machine: Machine): Promise<ComparisonReport> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'bench.json')
  if (!existsSync(file)) return { ...machine, results: [] }
  const { results, ...before } = JSON.parse(readFileSync(file, 'utf8')) as ComparisonReport
  for (const key of ['cpu', 'cores', 'threads', 'node'] as const)
    if (before[key] !== machine[key])
      throw new InvalidArgument(
        `${file} has rows measured with ${key} ${before[key]}, here it is ${machine[key]}: give another --output-dir`,
      )
  return { ...machine, results }
}

/** The report with the row in the place that `order`, the names of all rows, gives it. */
export function withRow(report: ComparisonReport, row: RecordedRow, order: readonly string[]): ComparisonReport {
  const results = [...report.results.filter(each => each.row !== row.row), row]
  return { ...report, results: results.sort((a, b) => order.indexOf(a.row) - order.indexOf(b.row)) }
}

export async function writeComparison(folder: string, report: ComparisonReport): Promise<void> {
  const { cpu, threads, results } = report
  const pages = [summaryTable(results), ...results.map(detailTable)].join('\n\n')
  await writeFile(join(folder, 'bench.json'), `${JSON.stringify(report)}\n`)
  await writeFile(join(folder, 'bench.md'), `${pages}\n`)
  const days = [...new Set(results.map(({ date }) => date.slice(0, 10)))].sort()
  const rounds = [...new Set(results.map(({ rounds }) => rounds))].sort((a, b) => a - b)
  const picture = await drawComparison(results, `${cpu}, ${threads} threads; ${rounds.join(', ')} rounds, ${days.join(', ')}`)
  await writeFile(join(folder, 'bench.svg'), picture)
}
