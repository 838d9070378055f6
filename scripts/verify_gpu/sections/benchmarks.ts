// Training speed: this package, as published, erased and with autotuned engines, beside PyTorch (eager and torch.compile) where that
// is installed.
import { randomFillSync } from 'node:crypto'
import { fromBatches, type Batch } from '../../../src/data/index.js'
import { spreadOf, type Spread } from '../../../src/cli/spread.js'
import { eraseReLU } from '../../../src/erase.js'
import { create } from '../../../src/models/index.js'
import { sgd } from '../../../src/optim/index.js'
import { Trainer } from '../../../src/train/trainer.js'
import type { Reporter } from '../reporter.js'
import { findTorch, timeTorch } from './torch.js'

export interface Benchmark {
  readonly network: 'resnet50' | 'resnet20' | 'resnet110'
  readonly batch: number
  /** Side of an image in pixels. */
  readonly size: number
  readonly precision: 'f32' | 'bf16'
  readonly steps: number
}

interface Variant {
  readonly library: string
  readonly proportion: number
  readonly autotune: boolean
}

const full: readonly Benchmark[] = [
  { network: 'resnet50', batch: 64, size: 224, precision: 'bf16', steps: 30 },
  { network: 'resnet50', batch: 256, size: 224, precision: 'bf16', steps: 20 },
  { network: 'resnet50', batch: 64, size: 224, precision: 'f32', steps: 10 },
  { network: 'resnet20', batch: 128, size: 32, precision: 'bf16', steps: 100 },
  { network: 'resnet20', batch: 128, size: 32, precision: 'f32', steps: 100 },
  { network: 'resnet110', batch: 128, size: 32, precision: 'bf16', steps: 50 },
]
const tiny: readonly Benchmark[] = [{ network: 'resnet20', batch: 2, size: 8, precision: 'bf16', steps: 2 }]
const variants: readonly Variant[] = [
  { library: 'eraserelu', proportion: 0, autotune: false },
  { library: 'eraserelu, erased', proportion: 1, autotune: false },
  { library: 'eraserelu, erased, autotuned', proportion: 1, autotune: true },
]
/** The first step is launched kernel by kernel, the second recorded. */
const warmUp = { small: 2, full: 10 }

export async function benchmarks(reporter: Reporter): Promise<void> {
  const { small, device } = reporter.settings
  const torch = small ? { missing: 'left out by --small' } : findTorch(device)
  if ('missing' in torch) reporter.note(`PyTorch: ${torch.missing}`)
  for (const benchmark of small ? tiny : full) {
    const { network, batch, size, precision } = benchmark
    const label = `${network}, batch ${batch}, ${size}x${size}, ${precision}`
    const timings = new Map<string, Spread | undefined>()
    for (const variant of variants) {
      const run = () => time(benchmark, variant, device, warmUp[small ? 'small' : 'full'])
      timings.set(variant.library, await reporter.case(`${label}: ${variant.library}`, run))
    }
    for (const form of ['eager', 'compile'] as const) {
      const library = `PyTorch ${form}`
      if ('missing' in torch) timings.set(`${library}: not measured`, undefined)
      else timings.set(library, await reporter.case(`${label}: ${library}`, () => timeTorch(torch, benchmark, form)))
    }
    const ours = timings.get('eraserelu')
    for (const [library, timing] of timings) {
      reporter.row({
        training: label,
        library,
        'ms a step': timing ? timing.median.toFixed(2) : '',
        'p10 … p90': timing ? `${timing.p10.toFixed(2)} … ${timing.p90.toFixed(2)}` : '',
        'images/s': timing ? Math.round((batch / timing.median) * 1000) : '',
        'speed, eraserelu = 1': timing && ours ? (ours.median / timing.median).toFixed(2) : '',
      })
    }
  }
}

/** Milliseconds a step, after the warm-up, of the training loop as a user runs it: images come as bytes from the host. */
async function time(benchmark: Benchmark, { proportion, autotune }: Variant, device: string, skipped: number): Promise<Spread> {
  const { network, batch: batchSize, size, precision, steps } = benchmark
  const model = create(network)
  eraseReLU(model, { location: 'last', proportion })
  const { inChannels, numClasses } = model
  const images = randomFillSync(new Uint8Array(batchSize * size * size * inChannels))
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % numClasses)
  async function* train(): AsyncGenerator<Batch> {
    for (let i = 0; i < skipped + steps; i++) yield await Promise.resolve({ images, labels })
  }
  const data = fromBatches({ train, shape: [size, size, inChannels], numClasses, batchesPerEpoch: skipped + steps })
  const optimizer = sgd({ lr: 0.01, momentum: 0.9 })
  await using trainer = new Trainer(model, { data, batchSize, epochs: 1, device, optimizer, precision, autotune })
  const milliseconds: number[] = []
  let before = performance.now()
  for await (const event of trainer.fit()) {
    if (event.type !== 'step') continue
    const now = performance.now()
    milliseconds.push(now - before)
    before = now
  }
  return spreadOf(milliseconds.slice(skipped))
}
