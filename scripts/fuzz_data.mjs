// Gives the readers of data sets many damaged files (test/data/fuzz.test.ts), and keeps the result with the digest of its sources:
//   npm run fuzz:data -- [--inputs 200000] [--seed 1]
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { digestOf } from './stale_results.mjs'

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '200000' }, seed: { type: 'string', default: '1' } },
})
const counted = 'build/test/fuzz_data.json'
mkdirSync('build/test', { recursive: true })
rmSync(counted, { force: true })
const start = Date.now()
const { status } = spawnSync('npx', ['vitest', 'run', 'test/data/fuzz.test.ts', '--testTimeout', String(45 * 60_000)], {
  stdio: 'inherit',
  env: { ...process.env, ERASERELU_FUZZ_INPUTS: values.inputs, ERASERELU_FUZZ_SEED: values.seed, ERASERELU_FUZZ_REPORT: counted },
})
if (status !== 0) process.exit(1)
const sources = ['src/data/**', 'test/data/fuzz.test.ts', 'test/data/tar_files.ts']
const record = {
  command: `npm run fuzz:data -- --inputs ${values.inputs} --seed ${values.seed}`,
  date: new Date().toISOString().slice(0, 10),
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism() },
  seconds: Math.round((Date.now() - start) / 1000),
  readers: JSON.parse(readFileSync(counted, 'utf8')),
  sources,
  digest: digestOf(sources),
}
console.log(record)
writeFileSync('docs/results/fuzz_data.json', `${JSON.stringify(record, undefined, 2)}\n`)
