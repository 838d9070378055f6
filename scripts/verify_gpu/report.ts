// The report for people: Markdown.
import type { Row, SectionResult } from './protocol.js'

export interface Report {
  readonly package: string
  readonly date: string
  readonly simulated: boolean
  readonly small: boolean
  readonly node: string
  readonly system: string
  readonly seconds: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly sections: readonly SectionResult[]
}

const nameOf = ({ name, device }: Readonly<Record<string, unknown>>): string =>
  [name, device].find(text => typeof text === 'string') ?? 'an unknown device'

/** Failures written out a section; the JSON has them all. */
const shownFailures = 20

export function markdownOf(report: Report): string {
  const { passed, failed, skipped, sections, simulated, small } = report
  const device = sections.find(({ name }) => name === 'device')?.facts ?? {}
  const verdict = failed === 0 ? 'Everything that ran passed.' : `**${failed} failed.**`
  return [
    `# eraserelu ${report.package} on ${simulated ? 'a simulated GPU' : nameOf(device)}`,
    simulated ? '**Simulated: no GPU has run anything here, and no time in this report means anything.**' : '',
    `${verdict} ${passed} passed, ${failed} failed, ${skipped} skipped, in ${Math.round(report.seconds)} s.${small ? ' Small sizes only (--small).' : ''}`,
    table(
      Object.entries({ date: report.date, node: report.node, system: report.system, ...device }).map(([fact, value]) => ({
        fact,
        value: Array.isArray(value) ? value.join(', ') : String(value),
      })),
    ),
    table(
      sections.map(({ title, passed: good, failed: bad, skipped: left, seconds }) => ({
        section: title,
        passed: good,
        failed: bad,
        skipped: left,
        seconds: seconds.toFixed(1),
      })),
    ),
    ...sections.map(sectionText),
  ]
    .filter(part => part !== '')
    .join('\n\n')
    .concat('\n')
}

function sectionText({ title, cases, rows, notes }: SectionResult): string {
  const failures = cases.filter(({ status }) => status === 'failed')
  const skips = new Map<string, number>()
  for (const { status, message = '' } of cases) if (status === 'skipped') skips.set(message, (skips.get(message) ?? 0) + 1)
  const parts = [
    table(rows),
    [...notes.map(note => `- ${note}`), ...[...skips].map(([reason, count]) => `- ${count} skipped: ${reason}`)].join('\n'),
    ...failures.slice(0, shownFailures).map(({ name, message = '' }) => `Failed: **${name}**\n\n\`\`\`\n${message}\n\`\`\``),
    failures.length > shownFailures ? `… and ${failures.length - shownFailures} more failures in the JSON file.` : '',
  ].filter(part => part !== '')
  return parts.length === 0 ? '' : [`## ${title}`, ...parts].join('\n\n')
}

/** A table of rows with the same columns. */
function table(rows: readonly Row[]): string {
  if (rows.length === 0) return ''
  const columns = Object.keys(rows[0]!)
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map(cell => String(cell).replaceAll('|', String.raw`\|`)).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(row => line(columns.map(column => row[column] ?? '')))].join(
    '\n',
  )
}
