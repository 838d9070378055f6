// Keeps the report of a study in docs/results, with the digest of the sources that made it. Run it with the sources that ran the study:
//   node scripts/record_study.mjs NAME runs/study
// leaves docs/results/NAME.json, docs/results/NAME/report.md and docs/results/NAME/figures/*.svg.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from './stale_results.mjs'

const [name, study, target = 'docs/results'] = process.argv.slice(2)
if (!name || !study) {
  console.error('usage: node scripts/record_study.mjs NAME STUDY_FOLDER [docs/results]')
  process.exit(2)
}
const results = JSON.parse(readFileSync(join(study, 'results.json'), 'utf8'))
if (results.finishedRuns < results.allRuns) console.error(`only ${results.finishedRuns} of ${results.allRuns} runs are finished`)
// The bytes depend on the threads of a run.
const run = `npx eraserelu reproduce --config docs/results/${name}.yaml --threads ${results.environment.threads} --output-dir runs/${name}`
const command = `${run} && node scripts/record_study.mjs ${name} runs/${name}`
const sources = ['native/**', 'src/**']
const date = new Date().toISOString().slice(0, 10)
writeFileSync(
  join(target, `${name}.json`),
  `${JSON.stringify({ ...results, command, date, sources, digest: digestOf(sources) }, undefined, 1)}\n`,
)
const folder = join(target, name)
rmSync(folder, { recursive: true, force: true })
cpSync(join(study, 'figures'), join(folder, 'figures'), { recursive: true })
// Where the study ran is of no interest to the reader.
const report = readFileSync(join(study, 'report.md'), 'utf8').replaceAll(results.command, command)
writeFileSync(join(folder, 'report.md'), report)
