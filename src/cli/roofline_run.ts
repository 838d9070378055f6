/** What `eraserelu bench --roofline` does: the accounting of a step on a GPU, on any machine. */
import { idealTraffic } from '../graph/ideal_traffic.js'
import { livePeak } from '../graph/live_peak.js'
import type { Memory } from '../graph/passes/recompute.js'
import type { Precision } from '../graph/precision.js'
import { lowMemoryText, type LowMemory } from '../train/low_memory.js'
import { takenPrecision } from './auto_precision.js'
import type { BenchFlags } from './bench.js'
import { gpus } from './gpus.js'
import { printResult } from './json.js'
import { memoryGiven } from './measure_options.js'
import { modelOf, reluCounts, type ReluCounts } from './model_of.js'
import { planStep } from './random_training.js'
import { accountOf, predict, type OperationCost } from './roofline.js'
import { renderTable, unicodeOut } from './table.js'

export const caveat = 'prediction, no GPU has confirmed it'

/** Bytes and floating-point operations are of an image. */
export interface RooflineResult {
  readonly model: string
  readonly task: 'training' | 'inference'
  readonly relus: ReluCounts
  readonly batchSize: number
  readonly imageSize: number
  readonly precision: Precision
  readonly memory: Memory
  readonly bytes: number
  readonly flops: number
  /** A step: own kernels, and one for each execution of a cuDNN graph. */
  readonly launches: number
  /** Of the whole batch: activations and gradients alive at once, without kernels' scratchpads and their in-place chances. */
  readonly arenaBytes: number
  /** With memory 'low': what that gives and costs; of the whole batch. */
  readonly low?: LowMemory
  /** Bytes an image of ideal 16-bit kernels, with and without fusion; only of a training step. */
  readonly ideal?: { readonly fused: number; readonly unfused: number }
  /** The most bytes first; bytes and flops of an image. */
  readonly operations: readonly OperationCost[]
  readonly predictions: readonly {
    readonly gpu: string
    readonly imagesPerSecond: number
    /** Of a step. */
    readonly milliseconds: number
    /** Of a step, were only its bytes to be moved. */
    readonly memoryMilliseconds: number
    readonly caveat: string
  }[]
}

export async function roofline(name: string, flags: BenchFlags): Promise<void> {
  const { batchSize, infer = false, roofline: asked, disablePass = [] } = flags
  const precision = await takenPrecision('bench', { ...flags, device: 'cuda' })
  const model = modelOf(name, flags)
  const { imageSize = model.imageSize } = flags
  const task = infer ? 'inference' : 'training'
  const memory = memoryGiven('bench', flags)
  const images = { imageSize, batchSize, device: 'cuda', precision, disabledPasses: disablePass, memory }
  const { desc, low } = planStep(model, images, task)
  const { bytes, flops, launches, operations } = accountOf(desc)
  const trained = model.parameters().filter(({ trainable }) => trainable)
  const { fused, unfused } = idealTraffic(
    desc,
    trained.reduce((sum, { size }) => sum + size, 0),
  )
  const result: RooflineResult = {
    model: name,
    task,
    relus: reluCounts(model),
    batchSize,
    imageSize,
    precision,
    memory,
    bytes: bytes / batchSize,
    flops: flops / batchSize,
    launches,
    arenaBytes: livePeak(desc),
    ...(low && { low }),
    ...(infer ? {} : { ideal: { fused: fused / batchSize, unfused: unfused / batchSize } }),
    operations: operations.map(cost => ({ ...cost, bytes: cost.bytes / batchSize, flops: cost.flops / batchSize })),
    predictions: gpus
      .filter(gpu => typeof asked !== 'string' || asked === 'all' || gpu.name === asked)
      .map(gpu => predict(desc, precision, gpu))
      .map(({ gpu, step, memory }) => ({
        gpu,
        imagesPerSecond: batchSize / step,
        milliseconds: step * 1000,
        memoryMilliseconds: memory * 1000,
        caveat,
      })),
  }
  printResult(result, flags, textOf)
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)
const gigaflops = (flops: number) => (flops / 1e9).toFixed(2)

function textOf(result: RooflineResult): string {
  const { model, task, relus, batchSize, imageSize, precision, bytes, flops, launches, ideal, operations, predictions } = result
  const { arenaBytes, low } = result
  const unicode = unicodeOut()
  const what = task === 'training' ? 'Training step' : 'Inference'
  const rows = operations.map(cost => [
    cost.op,
    `${cost.nodes}`,
    `${cost.launches}`,
    megabytes(cost.bytes),
    `${(100 * cost.share).toFixed(1)} %`,
    cost.flops === 0 ? '' : gigaflops(cost.flops),
  ])
  const all = [
    'all',
    `${operations.reduce((sum, { nodes }) => sum + nodes, 0)}`,
    `${launches}`,
    megabytes(bytes),
    '100 %',
    gigaflops(flops),
  ]
  const times = predictions.map(({ gpu, imagesPerSecond, milliseconds, memoryMilliseconds }) => [
    gpu,
    imagesPerSecond.toFixed(0),
    milliseconds.toFixed(2),
    memoryMilliseconds.toFixed(2),
  ])
  return [
    `${what} of ${model} on a GPU, batch ${batchSize}, ${imageSize}x${imageSize}, ${precision}, ${relus.kept} of ${relus.total} ReLUs`,
    renderTable([['operation', 'nodes', 'launches', 'MB an image', 'of all', 'GFLOP an image'], ...rows, all], { unicode }),
    ...(ideal
      ? [`Ideal 16-bit kernels: ${megabytes(ideal.fused)} MB an image, ${megabytes(ideal.unfused)} without fusion.`]
      : []),
    `Activations and gradients alive at once: ${(arenaBytes / 1e9).toFixed(2)} GB (kernels' scratchpads are known only on the device).`,
    ...(low ? [lowMemoryText(low)] : []),
    renderTable([['GPU', 'images/s', 'ms a step', 'ms for its bytes alone'], ...times], { unicode }),
    `This is a ${caveat}: every kernel at the slower of its bytes and its arithmetic, without gaps between launches.`,
  ].join('\n')
}
