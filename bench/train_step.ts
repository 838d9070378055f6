// A training step of ResNet-20, batch 128, 32x32, f32, beside PyTorch's channels_last: in turn, each in a process of its own.
//   npm run bench -- [--rounds 5] [--steps 20] [--json FILE]
// PyTorch's Python is $ERASERELU_BENCH_PYTHON, else python3; without PyTorch only this package is measured.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { median, table } from './statistics.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, steps: { type: 'string', default: '20' }, json: { type: 'string' } },
})
const rounds = Number(values.rounds)
const batch = 128
const size = 32
const python = process.env.ERASERELU_BENCH_PYTHON ?? 'python3'

interface Sample {
  peer: string
  threads: number
  milliseconds: number[]
}

function measure(command: string, args: string[]): Sample | undefined {
  const { status, stdout, stderr } = spawnSync(command, [...args, String(batch), String(size), values.steps], {
    encoding: 'utf8',
  })
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1)!) as Sample
  console.error(`${command} ${args.join(' ')}: ${stderr.trim().split('\n').at(-1) ?? 'failed'}`)
  return undefined
}

const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0
if (!hasTorch) console.log(`${python} has no PyTorch: set ERASERELU_BENCH_PYTHON to one that has, for the comparison.`)

const ours: Sample[] = []
const theirs: Sample[] = []
for (let round = 0; round < rounds; round++) {
  console.log(`round ${round + 1} of ${rounds}`)
  const a = measure(process.execPath, ['--import', 'tsx', 'bench/peers/eraserelu_step.ts'])
  if (a) ours.push(a)
  const b = hasTorch ? measure(python, ['bench/peers/pytorch_step.py']) : undefined
  if (b) theirs.push(b)
}

const rows = [ours, theirs]
  .filter(samples => samples.length > 0)
  .map(samples => {
    const medians = samples.map(({ milliseconds }) => median(milliseconds))
    const middle = median(medians)
    const { peer, threads } = samples[0]!
    return {
      peer,
      threads,
      milliseconds: middle,
      lowest: Math.min(...medians),
      highest: Math.max(...medians),
      imagesPerSecond: (batch / middle) * 1000,
    }
  })
const ratio =
  ours.length === theirs.length && ours.length > 0
    ? median(ours.map((sample, i) => median(theirs[i]!.milliseconds) / median(sample.milliseconds)))
    : undefined

console.log(
  `\nTraining step of ResNet-20, batch ${batch}, ${size}x${size}, f32, ${cpus()[0]?.model ?? 'unknown CPU'} (${cpus().length} cores)`,
)
console.log(
  table(
    ['', 'threads', 'ms a step (median of rounds)', 'lowest - highest', 'images/s'],
    rows.map(r => [
      r.peer,
      String(r.threads),
      r.milliseconds.toFixed(1),
      `${r.lowest.toFixed(1)} - ${r.highest.toFixed(1)}`,
      r.imagesPerSecond.toFixed(0),
    ]),
  ),
)
if (ratio !== undefined) console.log(`\nSpeed relative to PyTorch, median of ${rounds} paired rounds: ${ratio.toFixed(2)}`)
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ date: new Date().toISOString(), batch, size, rows, ratio }, undefined, 2)}\n`)
