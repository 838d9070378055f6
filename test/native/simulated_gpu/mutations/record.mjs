// Writes what `npm run test:mutations` found to docs/results/mutations.json and as a table to docs/gpu-proof.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { replaceSection } from '../../../../scripts/replace_section.mjs'
import { digestOf } from '../../../../scripts/stale_results.mjs'
import { faults, idOf, sources, tested } from './faults/index.mjs'

const page = 'docs/gpu-proof.md'
const results = JSON.parse(readFileSync('build/mutations/results.json', 'utf8'))

const missing = faults.filter(fault => results.faults[fault.name]?.id !== idOf(fault))
if (results.digest !== digestOf(tested) || missing.length > 0) {
  const why = missing.length > 0 ? `${missing.length} faults have not been tried` : 'sources have changed since'
  console.error(`Not recorded: ${why}. Run 'npm run test:mutations' first.`)
  process.exit(1)
}

const rows = faults.map(({ name, about, file }) => {
  const { caught, by, seconds } = results.faults[name]
  return { name, about, file, caught, by, seconds }
})
const caught = rows.filter(row => row.caught).length
const result = {
  command: 'npm run test:mutations && node test/native/simulated_gpu/mutations/record.mjs',
  date: new Date().toISOString().slice(0, 10),
  caught,
  survived: rows.length - caught,
  seconds: rows.reduce((sum, { seconds }) => sum + seconds, 0),
  faults: rows,
  sources,
  digest: digestOf(sources),
}
writeFileSync('docs/results/mutations.json', `${JSON.stringify(result, undefined, 2)}\n`)

const cell = text => text.replaceAll('|', String.raw`\|`)
const table = [
  `${caught} of ${rows.length} faults were caught, in ${Math.round(result.seconds / 60)} minutes (${result.date}).`,
  '',
  '| fault | in `native/cuda/` | caught | by |',
  '|---|---|---|---|',
  ...rows.map(
    row =>
      `| ${cell(row.about)} | ${row.file} | ${row.caught ? 'yes' : '**no**'} | ${row.caught ? cell(row.by.split(':').slice(0, 2).join(':')) : ''} |`,
  ),
].join('\n')
replaceSection(page, 'mutations', table)
console.log(`${caught} of ${rows.length} caught; docs/results/mutations.json and ${page} are written.`)
