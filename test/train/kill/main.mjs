// Kills trainings at random moments and resumes them (kill_and_resume.ts), and keeps the result with the digest of its sources:
//   npm run test:kill -- [--kills 200] [--seed N]
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { digestOf } from '../../../scripts/stale_results.mjs'
import { killAndResume } from './kill_and_resume.js'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
})
const result = await killAndResume({
  command: [process.execPath, 'dist/cli/main.js'],
  kills: Number(values.kills),
  seed: Number(values.seed),
  progress: line => console.log(line),
})
const sources = ['native/**', 'src/**']
const record = {
  command: `npm run test:kill -- --kills ${values.kills} --seed ${values.seed}`,
  date: new Date().toISOString().slice(0, 10),
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism() },
  ...result,
  sources,
  digest: digestOf(sources),
}
console.log(record)
// Kills that never hit a checkpoint being written, or hit nothing but the start, would prove little.
const telling = result.whileWriting > 0 && result.beforeFirst < result.kills / 2
if (!telling) console.log('These kills prove too little: take more of them.')
if (result.differences.length > 0 || !telling) process.exitCode = 1
else writeFileSync('docs/results/kill_and_resume.json', `${JSON.stringify(record, undefined, 2)}\n`)
