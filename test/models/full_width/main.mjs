// `npm run test:models`: every registered model at its full width, as published and with the last ReLU of every basic module erased, trains one
// step and infers on the CPU, batch 2, at the smallest of a few image sizes that it takes; each model in a process of its own (one_model.ts).
// What came out is kept in docs/results/models.json with the digest of its sources. With names, nothing is kept:
//   npm run test:models -- [MODEL ...]
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { text } from 'node:stream/consumers'
import { digestOf } from '../../../scripts/stale_results.mjs'
import { list } from '../../../src/models/index.js'

const asked = process.argv.slice(2)
const names = asked.length > 0 ? asked : list()
const mostBytes = 10e9
const models = []
const failed = []
const start = Date.now()
const waiting = [...names]
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))

/** Takes one model after the other. Two at a time, each on one thread: most of the time goes into preparing kernels, on one thread. */
async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const { status, stdout, stderr } = await run(name)
    const rows = status === 0 ? JSON.parse(stdout) : []
    for (const { arm, size, relus, loss, seconds, peakBytes } of rows)
      console.log(
        `${name}, ${arm}: ${size}x${size}, ${relus} ReLUs, loss ${loss}, ${seconds} s, ${(peakBytes / 1e9).toFixed(2)} GB at most`,
      )
    const tooLarge = rows.some(({ peakBytes }) => peakBytes > mostBytes)
    if (status === 0 && !tooLarge) models.push(...rows.map(row => ({ model: name, ...row })))
    else failed.push(name)
    if (status !== 0) console.log(`${name}: FAILED\n${stderr}`)
    if (tooLarge) console.log(`${name}: FAILED, more than ${mostBytes / 1e9} GB`)
  }
}

async function run(name) {
  const args = ['--import', 'tsx', new URL('one_model.ts', import.meta.url).pathname, name]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise(end => child.on('close', end))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { status: await closed, stdout, stderr }
}

models.sort((a, b) => names.indexOf(a.model) - names.indexOf(b.model))
const seconds = Math.round((Date.now() - start) / 1000)
console.log(`\n${names.length - failed.length} passed, ${failed.length} failed, ${seconds} s`)
if (failed.length > 0) process.exitCode = 1
else if (asked.length === 0) {
  const parts = [
    'native/backend',
    'native/base',
    'native/binding',
    'native/onednn',
    'native/plan',
    'src/graph',
    'src/models',
    'src/nn',
    'src/optim',
    'src/runtime',
    'test/models/full_width',
  ]
  const sources = [...parts.map(part => `${part}/**`), 'src/erase.ts']
  const record = {
    command: 'npm run test:models',
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model, cores: availableParallelism() },
    seconds,
    models,
    sources,
    digest: digestOf(sources),
  }
  writeFileSync('docs/results/models.json', `${JSON.stringify(record, undefined, 2)}\n`)
}
