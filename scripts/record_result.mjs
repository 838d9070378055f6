// Keeps the summary of a long run in docs/results, with the digest of the sources that made it:
//   node scripts/record_result.mjs NAME runs/full/summary.json
import { readFileSync, writeFileSync } from 'node:fs'
import { digestOf } from './stale_results.mjs'

const [name, file] = process.argv.slice(2)
if (!name || !file) {
  console.error('usage: node scripts/record_result.mjs NAME SUMMARY.json')
  process.exit(2)
}
const { commandLine, ...summary } = JSON.parse(readFileSync(file, 'utf8'))
const sources = ['native/**', 'src/**']
const command = `${commandLine.replace(/^eraserelu start/, 'npm start --')} && node scripts/record_result.mjs ${name} ${file}`
const result = { ...summary, command, date: new Date().toISOString().slice(0, 10), sources, digest: digestOf(sources) }
writeFileSync(`docs/results/${name}.json`, `${JSON.stringify(result, undefined, 2)}\n`)
