// npm run fuzz:images: libFuzzer looks for files that the image decoder (native/input/) does not survive, with the address and
// undefined-behaviour sanitizers, and the result is kept with the digest of its sources. Needs clang.
//   npm run fuzz:images -- [--inputs 1000000] [--seed 1]
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { buildFuzzer } from '../test/native/fuzz/build.mjs'
import { digestOf } from './stale_results.mjs'
import { fail, output } from './tools.mjs'

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})
const version = output('clang++', ['--version'])?.split('\n')[0]
if (!version) fail('libFuzzer comes with clang, which is not installed: apt-get install clang')
const program = buildFuzzer('clang++', { libFuzzer: true })

const seeds = 'test/native/fuzz/seeds'
const corpus = 'build/fuzz/corpus'
rmSync(corpus, { recursive: true, force: true })
mkdirSync(corpus, { recursive: true })
for (const name of readdirSync(seeds)) copyFileSync(`${seeds}/${name}`, `${corpus}/${name}`)

const start = Date.now()
const limits = ['-max_len=4096', '-timeout=30', '-rss_limit_mb=4096', '-artifact_prefix=build/fuzz/found-']
const { status, stderr } = spawnSync(program, [`-runs=${values.inputs}`, `-seed=${values.seed}`, ...limits, corpus], {
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
})
if (status !== 0) fail(`The decoder did not survive a file (build/fuzz/found-*):\n${stderr.slice(-6000)}`)
const inputs = Number(/^Done (\d+) runs/m.exec(stderr)?.[1])
const edges = Number([...stderr.matchAll(/ cov: (\d+) /g)].at(-1)?.[1])
if (!inputs) fail(`libFuzzer told no number of runs:\n${stderr.slice(-2000)}`)

const sources = [
  'native/input/decode*',
  'native/input/resample.*',
  'native/input/view.*',
  'native/third_party/lodepng/**',
  'test/native/fuzz/**',
]
const record = {
  command: `npm run fuzz:images -- --inputs ${values.inputs} --seed ${values.seed}`,
  date: new Date().toISOString().slice(0, 10),
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism() },
  compiler: version,
  seconds: Math.round((Date.now() - start) / 1000),
  inputs,
  /** Branches of the code that were taken. */
  edges,
  crashes: 0,
  sources,
  digest: digestOf(sources),
}
console.log(record)
writeFileSync('docs/results/fuzz_images.json', `${JSON.stringify(record, undefined, 2)}\n`)
