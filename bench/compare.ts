// Training steps and inferences of all libraries that are found: one after the other, in rounds, each time in a process of its own.
import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { deviceInfo } from '../src/runtime/devices.js'
import { packageRoot } from '../src/runtime/package_root.js'
import { openComparison, withRow, writeComparison, type ComparisonReport } from './comparison_folder.js'
import { detailTable, summaryTable, type PeerResult, type Workload, type WorkloadResult } from './comparison_tables.js'
import { findPeers, type Peer } from './find_peers.js'
import { writeInferenceWeights } from './inference_weights.js'
import type { Job, Timing } from './peers/job.js'
import { runPeer } from './run_peer.js'
import { median, pairedRatios, relativeDifference, spread } from './statistics.js'

export interface CompareOptions {
  rounds: number
  steps: number
  rows?: string[]
  outputDir?: string
}

/** `weight`: a step takes so many times as long as one of ResNet-20; fewer are measured. */
const workloads: readonly (Workload & { readonly weight: number })[] = [
  { row: 'resnet20', task: 'train', model: 'resnet20', batch: 128, size: 32, precision: 'f32', weight: 1 },
  { row: 'resnet50', task: 'train', model: 'resnet50', batch: 16, size: 224, precision: 'f32', weight: 12 },
  { row: 'wrn_16_4', task: 'train', model: 'wrn_16_4', batch: 64, size: 32, precision: 'f32', weight: 4 },
  { row: 'resnext29_32x4d', task: 'train', model: 'resnext29_32x4d', batch: 64, size: 32, precision: 'f32', weight: 6 },
  { row: 'densenet_bc_100_12', task: 'train', model: 'densenet_bc_100_12', batch: 64, size: 32, precision: 'f32', weight: 4 },
  { row: 'resnet50-bf16', task: 'train', model: 'resnet50', batch: 16, size: 224, precision: 'bf16', weight: 6 },
  { row: 'infer-1', task: 'infer', model: 'resnet50', batch: 1, size: 224, precision: 'f32', weight: 0.5 },
  { row: 'infer-16', task: 'infer', model: 'resnet50', batch: 16, size: 224, precision: 'f32', weight: 3 },
  { row: 'infer-16-bf16', task: 'infer', model: 'resnet50', batch: 16, size: 224, precision: 'bf16', weight: 1 },
]
export const rowNames = workloads.map(({ row }) => row)
const warmUp = 5
/** Of a round, however long they take. */
const fewestSteps = 3
/** How far outputs may lie from this package's, as a share of its largest: far more than the type's rounding, far less than a mistake. */
const tolerances = { f32: 1e-4, bf16: 5e-2 }

export async function compare({ rounds, steps, rows = rowNames, outputDir }: CompareOptions): Promise<void> {
  const { threads, bf16 } = deviceInfo()
  const machine = { cpu: cpus()[0]?.model ?? 'unknown CPU', cores: cpus().length, threads, node: process.version }
  // A folder that cannot be written is known now rather than after the measurement.
  let report: ComparisonReport = outputDir === undefined ? { ...machine, results: [] } : await openComparison(outputDir, machine)
  const { found, missing } = findPeers()
  for (const each of missing) console.log(`${each}\n`)
  console.log(`${machine.cpu}, ${machine.cores} cores, ${threads} threads each, Node ${process.version}`)

  const folder = join(packageRoot(), 'build', 'bench')
  const weights = join(folder, 'resnet50.safetensors')
  const chosen = workloads.filter(({ row, precision }) => {
    if (!rows.includes(row)) return false
    if (precision === 'bf16' && !bf16)
      console.log(`${row}: left out, this processor has no bf16 instructions (AVX512_BF16 or AMX)`)
    return precision === 'f32' || bf16
  })
  if (chosen.some(({ task }) => task === 'infer')) {
    await mkdir(folder, { recursive: true })
    await writeInferenceWeights('resnet50', weights)
  }
  const commandLine = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  for (const { weight, ...workload } of chosen) {
    const circumstances = { commandLine, date: new Date().toISOString(), commit: commit(), rounds, steps }
    const { model, batch, size, precision } = workload
    const runs = { warmUp: Math.max(1, Math.round(warmUp / weight)), steps: Math.max(fewestSteps, Math.round(steps / weight)) }
    const peers = found.filter(({ commands, measures }) => commands[workload.task] && (measures?.(workload) ?? true))
    const timings = measure(workload, peers, { model, batch, size, precision, ...runs, threads, weights }, rounds)
    const result = summary(workload, peers, timings)
    console.log(`\n${detailTable(result)}`)
    report = withRow(report, { ...result, ...circumstances }, rowNames)
    // After each, so that a measurement that is stopped keeps what it has.
    if (outputDir !== undefined) await writeComparison(outputDir, report)
  }
  console.log(`\n${summaryTable(report.results)}`)
  if (outputDir !== undefined) console.log(`\n${['json', 'md', 'svg'].map(type => join(outputDir, `bench.${type}`)).join(', ')}`)
}

/** The timings of every round by peer. A peer that fails is named and left out of all rounds; this package may not fail. */
function measure({ row, task }: Workload, peers: readonly Peer[], job: Job, rounds: number): Map<string, Timing[]> {
  const timings = new Map(peers.map(({ name }) => [name, [] as Timing[]]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < peers.length; i++) {
      // Another one starts each round, so that none always follows the same.
      const peer = peers[(i + round) % peers.length]!
      if (!timings.has(peer.name)) continue
      const start = performance.now()
      const result = runPeer(peer, task, job)
      const seconds = ((performance.now() - start) / 1000).toFixed(0)
      console.error(`${row}, round ${round + 1} of ${rounds}: ${peer.name}, ${seconds} s`)
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
function summary(workload: Workload, peers: readonly Peer[], timings: ReadonlyMap<string, readonly Timing[]>): WorkloadResult {
  const tolerance = tolerances[workload.precision]
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
      imagesPerSecond: (workload.batch / milliseconds.median) * 1000,
      peakBytes: median(list.map(({ peakBytes }) => peakBytes)),
      ...(list !== ours && { speed: pairedRatios(medians(list), medians(ours!)) }),
      ...(difference !== undefined && { difference }),
      samples: list.map(({ milliseconds: all }) => all),
    }
  })
  return { ...workload, peers: rows }
}

/** The commit whose sources are measured, if it is known. */
function commit(): string | undefined {
  const git = (...args: string[]) => spawnSync('git', args, { encoding: 'utf8', cwd: packageRoot() })
  const { status, stdout } = git('rev-parse', 'HEAD')
  if (status !== 0) return undefined
  return stdout.trim() + (git('status', '--porcelain', '--', 'src', 'native', 'bench').stdout === '' ? '' : '+')
}
