/** Which of f32 and bf16 is faster on a device: measured once a machine and kept in the user's cache. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fromBatches, type Batch } from '../data/index.js'
import { CifarResNet } from '../models/resnet_cifar.js'
import { sgd } from '../optim/index.js'
import { cacheFolder } from '../runtime/cache_folder.js'
import { deviceInfo } from '../runtime/devices.js'
import { packageVersion } from '../runtime/package_root.js'
import { Trainer } from './trainer.js'

/** What `fasterPrecision` finds. */
export interface FasterPrecision {
  /** What to train in: bf16 where it was faster by more than a measurement's noise. */
  readonly precision: 'f32' | 'bf16'
  /** The time of a training step in bf16 over that in f32; undefined where the device has no bf16 and nothing was measured. */
  readonly ratio: number | undefined
  /** Where the ratio is kept; to measure again, delete it. */
  readonly file: string | undefined
}

/** Of the ratio: below it bf16 is worth its rounding. */
const clearlyFaster = 0.95
const [batchSize, size, steps] = [16, 32, 6]

/**
 * The faster of 'f32' and 'bf16' for training on the CPU, by the time of training steps of ResNet-20 on 16 images of 32x32, in turns. On
 * a GPU steps as small as these measure little but their launches. It takes seconds the first time on a machine, which should be idle then;
 * the ratio is kept in `$ERASERELU_CACHE` (else `$XDG_CACHE_HOME/eraserelu`, `~/.cache/eraserelu`) for this processor, number of threads,
 * library and version of the package. Throws InvalidArgument for an unknown device.
 */
export async function fasterPrecision(device = 'cpu'): Promise<FasterPrecision> {
  const { name, library, instructions, threads, bf16 } = deviceInfo(device)
  if (!bf16 || name === 'reference') return { precision: 'f32', ratio: undefined, file: undefined }
  const machine = [packageVersion(), name, library, instructions, threads, cpus()[0]?.model ?? ''].join(' ')
  const file = cacheFile(`${machine.replaceAll(/[^\w.]+/g, '-')}.json`)
  const kept = file === undefined ? undefined : await readRatio(file)
  const ratio = kept ?? (await measureRatio(device))
  if (file !== undefined && kept === undefined) await keepRatio(file, ratio)
  return { precision: ratio < clearlyFaster ? 'bf16' : 'f32', ratio, file }
}

/** Undefined where the user has no home: then nothing is kept. */
function cacheFile(name: string): string | undefined {
  try {
    return join(cacheFolder('precision'), name)
  } catch {
    return undefined
  }
}

async function readRatio(file: string): Promise<number | undefined> {
  try {
    const { ratio } = JSON.parse(await readFile(file, 'utf8')) as { ratio: unknown }
    return typeof ratio === 'number' && ratio > 0 ? ratio : undefined
  } catch {
    return undefined
  }
}

/** Where nothing can be written it is measured again the next time. */
async function keepRatio(file: string, ratio: number): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(`${file}.${process.pid}`, JSON.stringify({ ratio }))
    await rename(`${file}.${process.pid}`, file)
  } catch {
    return
  }
}

/** Of the fastest steps: what else the machine does only makes one longer. The first step of each is not counted. */
async function measureRatio(device: string): Promise<number> {
  const trainers = (['f32', 'bf16'] as const).map(precision => {
    const model = new CifarResNet(20)
    return new Trainer(model, { data: images(), batchSize, epochs: 1, device, precision, optimizer: sgd({ lr: 0.01 }) })
  })
  const runs = trainers.map(trainer => trainer.fit())
  const fastest = [Infinity, Infinity]
  try {
    for (let i = 0; i < steps; i++)
      for (const [which, run] of runs.entries()) {
        const start = performance.now()
        for (let next = await run.next(); !next.done && next.value.type !== 'step';) next = await run.next()
        if (i > 0) fastest[which] = Math.min(fastest[which]!, performance.now() - start)
      }
  } finally {
    for (const run of runs) await run.return()
    for (const trainer of trainers) await trainer.dispose()
  }
  return fastest[1]! / fastest[0]!
}

function images() {
  async function* train(): AsyncGenerator<Batch> {
    const batch = {
      images: new Uint8Array(batchSize * size * size * 3).map((_, i) => (i * 7919) % 251),
      labels: new Int32Array(batchSize),
    }
    for (let i = 0; i < steps; i++) yield await Promise.resolve(batch)
  }
  return fromBatches({ train, shape: [size, size, 3], numClasses: 10, batchesPerEpoch: steps })
}
