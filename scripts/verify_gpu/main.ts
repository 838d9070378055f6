// npm run verify:gpu: everything that only a GPU can show, in one command. It writes verify_gpu.json and verify_gpu.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, platform, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageVersion } from '../../src/runtime/package_root.js'
import { didYouMean } from '../../src/runtime/suggest.js'
import type { CaseResult, SectionResult } from './protocol.js'
import { markdownOf, type Report } from './report.js'
import { runSection } from './run_section.js'
import { sections, type SectionName } from './sections/index.js'

const names = Object.keys(sections) as SectionName[]
const help = `Verifies this package on a GPU and writes a report that you can send back: verify_gpu.json, verify_gpu.md.

Usage: npm run verify:gpu -- [options]     (in a bundle: ./verify.sh [options])

  --device NAME       cuda (default), cuda:1 …
  --only SECTIONS     some of ${names.join(',')}
  --small             small sizes, for the simulated GPU
  --output-dir DIR    where the report is written (default: verify-gpu)
  --help

Exit code: 0 when everything passed, 1 when something failed, 2 for a wrong command line.
`

const options = readOptions()
const { device, small, outputDir } = options
const start = performance.now()
const results: SectionResult[] = []
for (const name of options.only) {
  const { title } = sections[name]
  console.log(`\n${title}`)
  showCase.last = -Infinity
  const result = await runSection(name, title, { device, small }, { case: showCase })
  const { passed, failed, skipped, seconds } = result
  console.log(`  ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds.toFixed(1)} s`)
  for (const note of result.notes) console.log(`  ${note}`)
  results.push(result)
  writeReport()
  if (name === 'device' && failed > 0) {
    console.log(`\nThe device '${device}' does not work, so nothing else was run.`)
    break
  }
}
const { failed, passed } = writeReport()
console.log(`\nReport: ${join(outputDir, 'verify_gpu.md')} and verify_gpu.json\n\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/** After every section, so that what was found is not lost when the machine is. */
function writeReport(): Report {
  const sum = (key: 'passed' | 'failed' | 'skipped') => results.reduce((total, result) => total + result[key], 0)
  const report: Report = {
    package: packageVersion(),
    date: new Date().toISOString(),
    simulated: results.some(({ facts }) => facts.simulated === true),
    small,
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    seconds: (performance.now() - start) / 1000,
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    sections: results,
  }
  mkdirSync(outputDir, { recursive: true })
  writeFileSync(join(outputDir, 'verify_gpu.json'), `${JSON.stringify(report, undefined, 2)}\n`)
  writeFileSync(join(outputDir, 'verify_gpu.md'), markdownOf(report))
  return report
}

/** Failures at once; else a sign of life at the start of a section and every few seconds. */
function showCase({ name, status, message }: CaseResult): void {
  if (status === 'failed') console.log(`  FAILED ${name}\n    ${message?.replaceAll('\n', '\n    ') ?? ''}`)
  else if (performance.now() - showCase.last > 5000) console.log(`  … ${name}`)
  else return
  showCase.last = performance.now()
}
showCase.last = -Infinity

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        device: { type: 'string', default: 'cuda' },
        only: { type: 'string', default: names.join(',') },
        small: { type: 'boolean', default: false },
        'output-dir': { type: 'string', default: 'verify-gpu' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      process.exit(0)
    }
    const wanted = values.only.split(',')
    const unknown = wanted.find(name => !(names as string[]).includes(name))
    if (unknown !== undefined)
      throw new Error(`there is no section '${unknown}'.${didYouMean(unknown, names)} Sections: ${names.join(', ')}.`)
    if (!/^cuda(:\d+)?$/.test(values.device)) throw new Error(`--device must be cuda, cuda:1 …, got '${values.device}'`)
    // Without it the report would not say what it speaks of.
    const only = names.filter(name => name === 'device' || wanted.includes(name))
    return { device: values.device, small: values.small, outputDir: values['output-dir'], only }
  } catch (error) {
    console.error(`verify:gpu: ${(error as Error).message}\nSee --help.`)
    process.exit(2)
  }
}
