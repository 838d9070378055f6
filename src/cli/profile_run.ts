/** What `eraserelu profile` does; loaded only when it runs. */
import { writeFileSync } from 'node:fs'
import { costsOf } from '../graph/cost.js'
import type { Memory } from '../graph/passes/recompute.js'
import type { Precision } from '../graph/precision.js'
import { deviceInfo, devices } from '../runtime/devices.js'
import { requireOneOf } from '../runtime/options.js'
import { lowMemoryText, type LowMemory } from '../train/low_memory.js'
import { chromeTrace } from './chrome_trace.js'
import { takenPrecision } from './auto_precision.js'
import { engineOptionsGiven } from './engine_options.js'
import { printResult } from './json.js'
import { cpuModel } from './machine.js'
import { memoryGiven } from './measure_options.js'
import { measureStep } from './measured_step.js'
import { modelOf, reluCounts, type ReluCounts } from './model_of.js'
import { measurePeaks, type Peaks } from './peaks.js'
import type { ProfileFlags } from './profile.js'
import { planStep } from './random_training.js'
import type { Spread } from './spread.js'
import { stepBar } from './step_bar.js'
import { renderTable, unicodeOut } from './table.js'

/** Bytes and floating-point operations are of the whole batch, as docs/accounting.md counts them. */
export interface Cost {
  readonly milliseconds: number
  /** Of the sum over all nodes. */
  readonly share: number
  readonly bytes: number
  readonly flops: number
  /** The time that the machine's peaks allow, by that which was measured: 1 at the roofline, above it for what a cache holds. */
  readonly ofRoofline: number
}

export interface ProfiledNode extends Cost {
  readonly layer: string
  readonly op: string
  readonly engine: string
}

export interface ProfileResult {
  readonly model: string
  readonly task: 'training' | 'inference'
  readonly relus: ReluCounts
  readonly batchSize: number
  readonly imageSize: number
  readonly precision: Precision
  readonly memory: Memory
  /** With memory 'low': what that gives and costs. */
  readonly low?: LowMemory
  readonly steps: number
  /** Of a step run as in a training. */
  readonly milliseconds: Spread
  /** Of a step whose nodes were waited for one by one: the sum of their medians. */
  readonly nodeMilliseconds: number
  /** Measured in the same run. */
  readonly peaks: Peaks
  /** The longest first. */
  readonly operations: readonly (Cost & { readonly op: string; readonly nodes: number })[]
  /** The longest first; nodes of no layer stand under their operation. */
  readonly layers: readonly (Cost & { readonly layer: string; readonly nodes: number })[]
  /** In the order in which they run. */
  readonly nodes: readonly ProfiledNode[]
  readonly device: string
  readonly library: string
  readonly instructions: string
  readonly threads: number
  readonly cpu: string
}

export async function profile(name: string, flags: ProfileFlags): Promise<void> {
  const { batchSize, steps, warmup, threads, device, infer = false, trace, disablePass = [] } = flags
  // OpenMP reads it when the addon is loaded, which the next line does.
  if (threads !== undefined) process.env.OMP_NUM_THREADS = String(threads)
  const memory = memoryGiven('profile', flags)
  requireOneOf('profile', '--device', device, devices())
  const precision = await takenPrecision('profile', flags)
  const model = modelOf(name, flags)
  const { imageSize = model.imageSize } = flags
  const task = infer ? 'inference' : 'training'
  const engines = engineOptionsGiven(flags)
  const images = { imageSize, batchSize, device, precision, engines, disabledPasses: disablePass, memory }
  const step = planStep(model, images, task)
  const peaks = await measurePeaks(device, precision)
  const bar = stepBar(warmup + steps)
  const measured = await measureStep(step, { steps, warmup, precision, onStep: bar.update }).finally(bar.stop)

  const times = measured.nodes.map(({ median }) => median)
  const sum = times.reduce((total, time) => total + time, 0)
  const costs = costsOf(step.desc)
  const costOf = (indices: readonly number[]): Cost => {
    const total = (of: (i: number) => number) => indices.reduce((all, i) => all + of(i), 0)
    const milliseconds = total(i => times[i]!)
    const least = total(i => Math.max(costs[i]!.bytes / peaks.bandwidth, costs[i]!.flops / peaks.rate)) * 1000
    const [bytes, flops] = [total(i => costs[i]!.bytes), total(i => costs[i]!.flops)]
    return { milliseconds, share: milliseconds / sum, bytes, flops, ofRoofline: least / milliseconds }
  }
  const nodes = step.desc.nodes.map(({ name: layer, op }, i) => ({ layer, op, engine: measured.engines[i]!, ...costOf([i]) }))
  const grouped = (keyOf: (node: ProfiledNode) => string) =>
    [...new Set(nodes.map(keyOf))]
      .map(key => ({ key, indices: nodes.flatMap((node, i) => (keyOf(node) === key ? [i] : [])) }))
      .map(({ key, indices }) => ({ key, nodes: indices.length, ...costOf(indices) }))
      .sort((a, b) => b.milliseconds - a.milliseconds)
  const { library, instructions, threads: threadsUsed } = deviceInfo(device)
  const result: ProfileResult = {
    model: name,
    task,
    relus: reluCounts(model),
    batchSize,
    imageSize,
    precision,
    memory,
    ...(step.low && { low: step.low }),
    steps,
    milliseconds: measured.milliseconds,
    nodeMilliseconds: sum,
    peaks,
    operations: grouped(({ op }) => op).map(({ key: op, ...cost }) => ({ op, ...cost })),
    layers: grouped(({ layer, op }) => layer || op).map(({ key: layer, ...cost }) => ({ layer, ...cost })),
    nodes,
    device,
    library,
    instructions,
    threads: threadsUsed,
    cpu: cpuModel(),
  }
  if (trace !== undefined) writeFileSync(trace, chromeTrace(`${task} of ${name}, batch ${batchSize}`, step.desc, nodes))
  printResult(result, flags, shown => textOf(shown, flags))
}

const figure = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

/** ms, share, MB, GFLOP, GB/s, GFLOP/s, and how near the roofline. */
const heads = ['ms', 'of all', 'MB', 'GFLOP', 'GB/s', 'GFLOP/s', 'of roofline']
const cells = ({ milliseconds, share, bytes, flops, ofRoofline }: Cost) => [
  figure(milliseconds),
  `${(100 * share).toFixed(1)} %`,
  figure(bytes / 1e6),
  flops === 0 ? '' : figure(flops / 1e9),
  figure(bytes / milliseconds / 1e6),
  flops === 0 ? '' : figure(flops / milliseconds / 1e6),
  `${(100 * ofRoofline).toFixed(0)} %`,
]

function textOf(result: ProfileResult, { layers: shown, trace }: ProfileFlags): string {
  const { model, task, relus, batchSize, imageSize, precision, steps, milliseconds, nodeMilliseconds, peaks } = result
  const { operations, layers, device, library, instructions, threads, cpu, low } = result
  const unicode = unicodeOut()
  const what = task === 'training' ? 'Training step' : 'Inference'
  const hidden = layers.length - shown
  return [
    `${what} of ${model}, batch ${batchSize}, ${imageSize}x${imageSize}, ${precision}, ${relus.kept} of ${relus.total} ReLUs`,
    renderTable([['operation', 'nodes', ...heads], ...operations.map(cost => [cost.op, `${cost.nodes}`, ...cells(cost)])], {
      unicode,
    }),
    renderTable([['layer', ...heads], ...layers.slice(0, shown).map(cost => [cost.layer, ...cells(cost)])], { unicode }),
    ...(hidden > 0 ? [`${hidden} layers more: --layers ${layers.length}, or --json.`] : []),
    `A step: ${figure(milliseconds.median)} ms (median of ${steps}, ${figure(milliseconds.min)} - ${figure(milliseconds.max)}); its operations, waited for one by one: ${figure(nodeMilliseconds)} ms.`,
    `The roofline, measured in this run: ${figure(peaks.bandwidth / 1e9)} GB/s, ${figure(peaks.rate / 1e9)} GFLOP/s. Above 100 %: the data was in a cache.`,
    ...(low ? [lowMemoryText(low)] : []),
    ...(trace === undefined ? [] : [`${trace}: open it in chrome://tracing or ui.perfetto.dev.`]),
    `${device}: ${library}, ${instructions}, threads: ${threads}; ${cpu}`,
  ].join('\n')
}
