/** A small training with a run folder, for tests of checkpoints; and what the folder holds. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromArrays } from '../../src/data/index.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { initialize } from '../../src/nn/index.js'
import { cosine, ema, sgd } from '../../src/optim/index.js'
import type { TrainingEvent } from '../../src/train/events.js'
import { Trainer, type FitOptions, type TrainerOptions } from '../../src/train/trainer.js'
import { pictures } from './training.js'

const shape = [16, 16, 3] as const

/** Augmented images, momentum, a moving average and a schedule: everything that a checkpoint must carry. 6 steps an epoch. */
export const trainerOptions = (): TrainerOptions => ({
  data: fromArrays({
    ...pictures(48, shape),
    shape,
    numClasses: 4,
    augment: { pad: 2, flip: true },
    test: pictures(16, shape, 4, 2),
  }),
  batchSize: 8,
  epochs: 3,
  seed: 5,
  optimizer: sgd({ lr: 0.05, momentum: 0.9 }),
  schedule: cosine(),
  ema: ema(0.9),
})

export const network = () => initialize(new CifarResNet(8, { numClasses: 4 }), 1)

/** Trains into a folder until the end, or until `until` says so of an event: then by the signal. */
export async function fitInto(
  outputDir: string,
  fit: FitOptions = {},
  { until, ...options }: Partial<TrainerOptions> & { until?: (event: TrainingEvent) => boolean } = {},
): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = []
  const controller = new AbortController()
  await using trainer = new Trainer(network(), { ...trainerOptions(), ...options })
  try {
    for await (const event of trainer.fit({ signal: controller.signal, outputDir, ...fit })) {
      events.push(event)
      if (until?.(event)) controller.abort(new Error('enough'))
    }
  } catch (error) {
    if ((error as Error).message !== 'enough') throw error
  }
  return events
}

export const newFolder = () => mkdtemp(join(tmpdir(), 'eraserelu-run-'))

/** A digest of every file that must not depend on interruptions: logs without times, and the last and the best checkpoint. */
export async function bytesOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const add = async (name: string) => {
    found[name] = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')
  }
  for (const name of ['metrics.jsonl', 'summary.csv']) await add(name)
  for (const link of ['last', 'best']) for (const name of (await readdir(join(folder, link))).sort()) await add(join(link, name))
  return found
}

export const only = <T extends TrainingEvent['type']>(events: readonly TrainingEvent[], type: T) =>
  events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type)
