/** What `eraserelu bench` does; loaded only when it runs. */
import { totalmem } from 'node:os'
import type { Precision } from '../graph/precision.js'
import type { Memory } from '../graph/passes/recompute.js'
import { compile } from '../graph/session.js'
import type { Classifier } from '../models/index.js'
import { deviceInfo, devices } from '../runtime/devices.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'
import { lowMemoryText, type LowMemory } from '../train/low_memory.js'
import type { BenchFlags } from './bench.js'
import { takenPrecision } from './auto_precision.js'
import { engineOptionsGiven } from './engine_options.js'
import { printResult } from './json.js'
import { cpuModel } from './machine.js'
import { memoryGiven } from './measure_options.js'
import { modelOf, reluCounts, type ReluCounts } from './model_of.js'
import { randomTraining, type RandomImages } from './random_training.js'
import { spreadOf, type Spread } from './spread.js'
import { stepBar } from './step_bar.js'
import { renderTable, unicodeOut } from './table.js'

export interface BenchResult {
  readonly model: string
  readonly task: 'training' | 'inference'
  readonly relus: ReluCounts
  readonly batchSize: number
  readonly imageSize: number
  readonly precision: Precision
  readonly memory: Memory
  /** How many were measured. */
  readonly steps: number
  /** At the median. */
  readonly imagesPerSecond: number
  /** Of a step. */
  readonly milliseconds: Spread
  readonly plannedBytes: number
  /** With memory 'low': what that gives and costs. */
  readonly low?: LowMemory
  /** The largest resident size of the whole process so far. */
  readonly peakBytes: number
  readonly device: string
  readonly library: string
  readonly instructions: string
  readonly threads: number
  readonly cpu: string
}

export async function bench(name: string, flags: BenchFlags): Promise<void> {
  const { batchSize, steps, warmup, threads, device, infer = false, disablePass = [] } = flags
  // OpenMP reads it when the addon is loaded, which the next line does.
  if (threads !== undefined) process.env.OMP_NUM_THREADS = String(threads)
  const memory = memoryGiven('bench', flags)
  requireOneOf('bench', '--device', device, devices())
  const precision = await takenPrecision('bench', flags)
  const model = modelOf(name, flags)
  const { imageSize = model.imageSize } = flags
  const engines = engineOptionsGiven(flags)
  const images = { imageSize, batchSize, device, precision, engines, disabledPasses: disablePass, memory }
  await using work = await (infer ? inference : training)(model, images, warmup + steps)
  const milliseconds = spreadOf(await measure(work.step, warmup, steps))
  const { library, instructions, threads: threadsUsed } = deviceInfo(device)
  const result: BenchResult = {
    model: name,
    task: infer ? 'inference' : 'training',
    relus: reluCounts(model),
    batchSize,
    imageSize,
    precision,
    memory,
    steps,
    imagesPerSecond: (batchSize / milliseconds.median) * 1000,
    milliseconds,
    plannedBytes: work.plannedBytes,
    ...(work.low && { low: work.low }),
    peakBytes: process.resourceUsage().maxRSS * 1024,
    device,
    library,
    instructions,
    threads: threadsUsed,
    cpu: cpuModel(),
  }
  printResult(result, flags, textOf)
}

/** What is measured, step by step. */
interface Work extends AsyncDisposable {
  readonly plannedBytes: number
  readonly low?: LowMemory | undefined
  readonly step: () => Promise<unknown>
}

async function training(model: Classifier, images: RandomImages, steps: number): Promise<Work> {
  const trainer = randomTraining(model, images, steps)
  const { planned: plannedBytes, low } = await trainer.memory()
  requireMemory(plannedBytes)
  const events = trainer.fit()
  const step = async () => {
    for (let next = await events.next(); !next.done && next.value.type !== 'step';) next = await events.next()
  }
  const dispose = async () => {
    await events.return()
    await trainer.dispose()
  }
  return { plannedBytes, low, step, [Symbol.asyncDispose]: dispose }
}

async function inference(model: Classifier, images: RandomImages): Promise<Work> {
  const { imageSize, batchSize, device, precision = 'f32', engines, disabledPasses = [] } = images
  const shape = [batchSize, imageSize, imageSize, model.inChannels]
  requireMemory(4 * shape.reduce((a, b) => a * b))
  const session = await compile(model, { inputs: { x: { shape } }, device, precision, disabledPasses, ...engines })
  const x = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random())
  const dispose = () => Promise.resolve(session.dispose())
  return { plannedBytes: session.memory.planned, step: () => session.run({ x }), [Symbol.asyncDispose]: dispose }
}

/** Refuses what can only fail, or make the machine swap. */
function requireMemory(bytes: number): void {
  if (bytes > totalmem())
    throw new InvalidArgument(
      `bench: a step needs ${gigabytes(bytes)}, this machine has ${gigabytes(totalmem())}: use a smaller --batch-size or --image-size`,
    )
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`

/** Milliseconds of each step after the first `warmup`; a bar on stderr shows how far it is. */
async function measure(step: () => Promise<unknown>, warmup: number, steps: number): Promise<number[]> {
  const bar = stepBar(warmup + steps)
  const milliseconds: number[] = []
  try {
    for (let i = 0; i < warmup + steps; i++) {
      const start = performance.now()
      await step()
      const took = performance.now() - start
      if (i >= warmup) milliseconds.push(took)
      bar.update(i + 1, took)
    }
  } finally {
    bar.stop()
  }
  return milliseconds
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`

function textOf(result: BenchResult): string {
  const { model, task, relus, batchSize, imageSize, milliseconds, imagesPerSecond, plannedBytes, peakBytes } = result
  const { device, library, instructions, threads, cpu, steps, precision, low } = result
  const { median, min, max, p10, p90 } = milliseconds
  const what = task === 'training' ? 'Training step' : 'Inference'
  const ms = (value: number) => value.toFixed(value < 10 ? 2 : 1)
  const table = renderTable(
    [
      ['', `${steps} steps`],
      ['images/s (at the median)', imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0)],
      ['ms a step, median', ms(median)],
      ['ms a step, smallest to largest', `${ms(min)} - ${ms(max)}`],
      ['ms a step, 10 % to 90 %', `${ms(p10)} - ${ms(p90)}`],
      ['planned memory', megabytes(plannedBytes)],
      ['peak memory of the process', megabytes(peakBytes)],
    ],
    { unicode: unicodeOut() },
  )
  return [
    `${what} of ${model}, batch ${batchSize}, ${imageSize}x${imageSize}, ${precision}, ${relus.kept} of ${relus.total} ReLUs`,
    table,
    ...(low ? [lowMemoryText(low)] : []),
    `${device}: ${library}, ${instructions}, threads: ${threads}; ${cpu}`,
  ].join('\n')
}
