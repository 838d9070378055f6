// Keeps a comparison with other libraries, with the digest of the sources that it measured:
//   npm run bench -- --output-dir runs/bench && node scripts/record_bench.mjs runs/bench
// or row by row, which puts a row measured again in the place of what the folder has of it:
//   npm run bench -- --output-dir runs/bench --rows resnet20 infer-1
// leaves docs/results/bench.json, docs/images/bench.svg, the overview in README.md, and all tables in docs/results.md.
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceSection } from './replace_section.mjs'
import { digestOf } from './stale_results.mjs'

const [folder] = process.argv.slice(2)
if (!folder) {
  console.error('usage: node scripts/record_bench.mjs FOLDER (of npm run bench -- --output-dir FOLDER)')
  process.exit(2)
}
const report = JSON.parse(readFileSync(join(folder, 'bench.json'), 'utf8'))
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
const distinct = values => [...new Set(values)].sort()
const commits = distinct(report.results.map(({ commit }) => commit ?? 'unknown'))
// Rows may be measured on different days; the result as a whole is fresh only where all had the sources that are here now.
const isCurrent = commit => {
  const { status } = spawnSync('git', ['diff', '--quiet', commit, '--', ...sources.map(source => `:(glob)${source}`)])
  return status === 0
}
const others = commits.filter(commit => !isCurrent(commit))
if (others.length > 0)
  console.error(`rows of other sources than these: ${others.join(', ')}; 'npm run stale' will list the result`)
const commandLine = `npm run bench -- --output-dir ${folder}`
const command = `${commandLine} && node scripts/record_bench.mjs ${folder}`
const digest = others.length === 0 ? digestOf(sources) : 'mixed'
writeFileSync('docs/results/bench.json', `${JSON.stringify({ command, ...report, sources, digest })}\n`)
copyFileSync(join(folder, 'bench.svg'), 'docs/images/bench.svg')

const tables = readFileSync(join(folder, 'bench.md'), 'utf8').trim()
const [overview] = tables.split('\n\n')
const picture = folder => `![Times as fast as each other library, network by network](${folder}bench.svg)`
const days = distinct(report.results.map(({ date }) => date.slice(0, 10)))
const rounds = distinct(report.results.map(({ rounds }) => rounds))
// "eraserelu (oneDNN 3.2.0, avx2)": a processor's name alone does not say what it can do.
const ours = distinct(report.results.map(({ peers: [own] }) => own.peer))
const made = `\`${commandLine}\`: ${ours.join(', ')}, ${report.cpu}, ${report.threads} threads, ${rounds.join(', ')} rounds, ${days.join(', ')}, commit ${commits.map(each => each.slice(0, 10)).join(', ')}.`
replaceSection('README.md', 'bench', `\n${picture('docs/images/')}\n\n${overview}\n\n${made}\n`)
replaceSection('docs/results.md', 'bench', `\n${picture('images/')}\n\n${tables}\n\n${made}\n`)
