// Keeps a comparison with other libraries, with the digest of the sources that it measured:
//   npm run bench -- --output-dir runs/bench && node scripts/record_bench.mjs runs/bench
// leaves docs/results/bench.json, docs/images/bench.svg, the overview in README.md, and all tables in docs/results.md.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceSection } from './replace_section.mjs'
import { digestOf } from './stale_results.mjs'

const [folder] = process.argv.slice(2)
if (!folder) {
  console.error('usage: node scripts/record_bench.mjs FOLDER (of npm run bench -- --output-dir FOLDER)')
  process.exit(2)
}
const { commandLine, ...report } = JSON.parse(readFileSync(join(folder, 'bench.json'), 'utf8'))
if (commandLine.includes('--only') || commandLine.includes('--models')) console.error('this is a part of the comparison')
const native = ['backend', 'base', 'binding', 'onednn', 'plan'].map(folder => `native/${folder}/**`)
const sources = [
  ...native,
  'src/graph/**',
  'src/models/**',
  'src/nn/**',
  'src/optim/**',
  'src/runtime/**',
  'src/train/**',
  'bench/**',
]
const command = `${commandLine} && node scripts/record_bench.mjs ${folder}`
writeFileSync('docs/results/bench.json', `${JSON.stringify({ command, ...report, sources, digest: digestOf(sources) })}\n`)
copyFileSync(join(folder, 'bench.svg'), 'docs/images/bench.svg')

const tables = readFileSync(join(folder, 'bench.md'), 'utf8').trim()
const [overview] = tables.split('\n\n')
const picture = folder => `![Times as fast as each other library, network by network](${folder}bench.svg)`
const made = `\`${commandLine}\`: ${report.cpu}, ${report.threads} threads, ${report.rounds} rounds, ${report.date.slice(0, 10)}.`
replaceSection('README.md', 'bench', `\n${picture('docs/images/')}\n\n${overview}\n\n${made}\n`)
replaceSection('docs/results.md', 'bench', `\n${picture('images/')}\n\n${tables}\n\n${made}\n`)
