// Training steps and inferences, f32, of all libraries that are found: one after the other, in rounds, each time in a process of
// its own.
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { deviceInfo } from '../src/runtime/devices.js'
import { InvalidArgument } from '../src/runtime/errors.js'
import { packageRoot } from '../src/runtime/package_root.js'
import { detailTable, drawComparison, summaryTable, type PeerResult, type WorkloadResult } from './comparison_report.js'
import { findPeers, type Peer, type Task } from './find_peers.js'
import { writeInferenceWeights } from './inference_weights.js'
import type { Job, Timing } from './peers/job.js'
import { runPeer } from './run_peer.js'
import { median, pairedRatios, relativeDifference, spread } from './statistics.js'

export interface CompareOptions {
  rounds: number
  steps: number
  only?: Task
  models?: string[]
  outputDir?: string
}

/** What bench.json holds. */
interface ComparisonReport {
  readonly commandLine: string
  readonly date: string
  /** Of the sources; with a plus where they have changed since. */
  readonly commit: string | undefined
  readonly cpu: string
  readonly cores: number
  readonly threads: number
  readonly node: string
  readonly rounds: number
  readonly steps: number
  readonly results: readonly WorkloadResult[]
}

interface Workload {
  readonly task: Task
  readonly model: string
  readonly batch: number
  readonly size: number
  /** A step takes so many times as long as one of ResNet-20: fewer are measured. */
  readonly weight?: number
}

const workloads: readonly Workload[] = [
  { task: 'train', model: 'resnet20', batch: 128, size: 32 },
  { task: 'train', model: 'resnet50', batch: 16, size: 224, weight: 12 },
  { task: 'train', model: 'wrn_16_4', batch: 64, size: 32, weight: 4 },
  { task: 'train', model: 'resnext29_32x4d', batch: 64, size: 32, weight: 6 },
  { task: 'train', model: 'densenet_bc_100_12', batch: 64, size: 32, weight: 4 },
  { task: 'infer', model: 'resnet50', batch: 1, size: 224 },
  { task: 'infer', model: 'resnet50', batch: 16, size: 224 },
]
export const benchedModels = [...new Set(workloads.map(({ model }) => model))]
const warmUp = 5
/** Of a round, however long they take. */
const fewestSteps = 3
/** How far outputs may lie from this package's, as a share of its largest: far more than f32 rounding, far less than a mistake. */
const tolerance = 1e-4

export async function compare({ rounds, steps, only, models, outputDir }: CompareOptions): Promise<void> {
  // A folder that cannot be written is known now rather than after the measurement.
  if (outputDir !== undefined) await mkdir(outputDir, { recursive: true })
  const { found, missing } = findPeers()
  for (const each of missing) console.log(`${each}\n`)
  const { threads } = deviceInfo()
  const machine = { cpu: cpus()[0]?.model ?? 'unknown CPU', cores: cpus().length, threads, node: process.version }
  console.log(`${machine.cpu}, ${machine.cores} cores, ${threads} threads each, Node ${process.version}`)

  const folder = join(packageRoot(), 'build', 'bench')
  const weights = join(folder, 'resnet50.safetensors')
  const chosen = workloads.filter(({ task, model }) => (only ?? task) === task && (models?.includes(model) ?? true))
  if (chosen.length === 0) throw new InvalidArgument(`nothing to measure: there is no task '${only}' of ${models?.join(', ')}`)
  if (chosen.some(({ task }) => task === 'infer')) {
    await mkdir(folder, { recursive: true })
    await writeInferenceWeights('resnet50', weights)
  }
  const commandLine = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  const circumstances = { commandLine, date: new Date().toISOString(), commit: commit(), ...machine, rounds, steps }
  const results: WorkloadResult[] = []
  for (const workload of chosen) {
    const { task, model, batch, size, weight = 1 } = workload
    const runs = { warmUp: Math.max(2, Math.round(warmUp / weight)), steps: Math.max(fewestSteps, Math.round(steps / weight)) }
    const peers = found.filter(({ commands }) => commands[task])
    const timings = measure(task, peers, { model, batch, size, ...runs, threads, weights }, rounds)
    const result = summary(workload, peers, timings)
    console.log(`\n${detailTable(result)}`)
    results.push(result)
    // After each, so that a measurement that is stopped keeps what it has.
    if (outputDir !== undefined) await writeReport(outputDir, { ...circumstances, results })
  }
  console.log(`\n${summaryTable(results)}`)
  if (outputDir !== undefined) console.log(`\n${['json', 'md', 'svg'].map(type => join(outputDir, `bench.${type}`)).join(', ')}`)
}

async function writeReport(folder: string, report: ComparisonReport): Promise<void> {
  const { cpu, threads, rounds, date, results } = report
  const pages = [summaryTable(results), ...results.map(detailTable)].join('\n\n')
  await writeFile(join(folder, 'bench.json'), `${JSON.stringify(report)}\n`)
  await writeFile(join(folder, 'bench.md'), `${pages}\n`)
  const picture = await drawComparison(results, `${cpu}, ${threads} threads; ${rounds} rounds, ${date.slice(0, 10)}`)
  await writeFile(join(folder, 'bench.svg'), picture)
}

/** The timings of every round by peer. A peer that fails is named and left out of all rounds; this package may not fail. */
function measure(task: Task, peers: readonly Peer[], job: Job, rounds: number): Map<string, Timing[]> {
  const timings = new Map(peers.map(({ name }) => [name, [] as Timing[]]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < peers.length; i++) {
      // Another one starts each round, so that none always follows the same.
      const peer = peers[(i + round) % peers.length]!
      if (!timings.has(peer.name)) continue
      console.error(`${task} ${job.model}, batch ${job.batch}, round ${round + 1} of ${rounds}: ${peer.name}`)
      const result = runPeer(peer, task, job)
      if ('failure' in result) {
        if (peer === peers[0]) throw new Error(`${peer.name} failed: ${result.failure}`)
        console.error(`${peer.name} failed and is left out: ${result.failure}`)
        timings.delete(peer.name)
      } else timings.get(peer.name)!.push(result)
    }
  }
  return timings
}

/** A row a peer, this package first. Throws where a peer computes something else. */
function summary(
  { task, model, batch, size }: Workload,
  peers: readonly Peer[],
  timings: ReadonlyMap<string, readonly Timing[]>,
) {
  const [ours] = timings.values()
  const medians = (list: readonly Timing[]) => list.map(({ milliseconds }) => median(milliseconds))
  const rows = [...timings].map(([name, list]): PeerResult => {
    const { peer, threads, output, parameters } = list[0]!
    if (parameters !== ours![0]!.parameters)
      throw new Error(`${name} trains another network: ${parameters} parameters, not ${ours![0]!.parameters}`)
    const milliseconds = spread(medians(list))
    const difference = output && relativeDifference(ours![0]!.output!, output)
    if (difference !== undefined && !(difference <= tolerance))
      throw new Error(`${name} computes something else: its output is off by ${difference} of the largest, above ${tolerance}`)
    return {
      peer,
      own: peers.find(each => each.name === name)!.own ?? list === ours,
      threads,
      milliseconds,
      imagesPerSecond: (batch / milliseconds.median) * 1000,
      peakBytes: median(list.map(({ peakBytes }) => peakBytes)),
      ...(list !== ours && { speed: pairedRatios(medians(list), medians(ours!)) }),
      ...(difference !== undefined && { difference }),
      samples: list.map(({ milliseconds: all }) => all),
    }
  })
  return { task, model, batch, size, peers: rows }
}

/** The commit whose sources are measured, if it is known. */
function commit(): string | undefined {
  const git = (...args: string[]) => spawnSync('git', args, { encoding: 'utf8', cwd: packageRoot() })
  const { status, stdout } = git('rev-parse', 'HEAD')
  if (status !== 0) return undefined
  return stdout.trim() + (git('status', '--porcelain', '--', 'src', 'native', 'bench').stdout === '' ? '' : '+')
}
