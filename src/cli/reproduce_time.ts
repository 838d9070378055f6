/** How long a training will take, from a few of its steps, and how long several take one beside the other. */
import type { DataSource, ImageFileSource } from '../data/index.js'
import { thinned } from '../data/thin.js'
import { deviceInfo } from '../runtime/devices.js'
import type { EpochEvent } from '../train/events.js'
import { Trainer } from '../train/trainer.js'
import { sizesOf } from './data_set.js'
import { modelOf, trainerOptionsOf } from './train_setup.js'
import type { CompleteSettings } from './train_settings.js'

/** Seconds. */
export interface TrainingTime {
  /** Starting the process, compiling, reading the images. */
  readonly start: number
  /** An epoch with its evaluation. */
  readonly epoch: number
}

/** Of each kind of batch. */
const [steps, evaluations] = [6, 3]
/** Starting Node.js and loading the library; measured it would cost as much again. */
const processSeconds = 1

/** Trains for two short epochs and takes the second; nothing is written. */
export async function measureTime(settings: CompleteSettings, data: DataSource | ImageFileSource): Promise<TrainingTime> {
  const { 'batch-size': batchSize, accumulate, epochs } = settings
  const evalBatchSize = settings['eval-batch-size'] ?? batchSize
  const { train: trainSize, test: testSize } = sizesOf(data)
  const train = Math.min(trainSize, steps * batchSize * accumulate)
  const test = Math.min(testSize, evaluations * evalBatchSize)
  // A schedule may have a warm-up of several epochs: the trainer is made for all of them.
  const options = { ...trainerOptionsOf(settings, thinned(data, { train, test })), epochs: Math.max(2, epochs) }
  const start = performance.now()
  await using trainer = new Trainer(modelOf(settings, data), options)
  const ends: { at: number; cpu: number; event: EpochEvent }[] = []
  for await (const event of trainer.fit()) {
    if (event.type === 'epoch') ends.push({ at: performance.now(), cpu: cpuSeconds(), event })
    if (ends.length === 2) break
  }
  const [first, second] = ends as [(typeof ends)[0], (typeof ends)[0]]
  const both = (second.at - first.at) / 1000
  // Where other processes take the cores, the time that this one computed says more than the clock.
  const { threads } = deviceInfo(settings.device)
  const undisturbed = settings.device === 'cuda' ? 1 : Math.min(1, (second.cpu - first.cpu) / threads / both)
  const step = second.event.seconds / trainer.stepsPerEpoch
  const evaluation = Math.max(0, both - second.event.seconds) / Math.max(1, Math.ceil(test / evalBatchSize))
  const stepsPerEpoch = Math.floor(Math.floor(trainSize / batchSize) / accumulate)
  return {
    start: processSeconds + undisturbed * Math.max(0, (first.at - start) / 1000 - both),
    epoch: undisturbed * (stepsPerEpoch * step + Math.ceil(testSize / evalBatchSize) * evaluation),
  }
}

/** Of all threads of this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Seconds until all are done, each begun in order as soon as one of `jobs` places is free. */
export function together(seconds: readonly number[], jobs: number): number {
  const places = Array.from({ length: jobs }, () => 0)
  for (const each of seconds) {
    const next = places.indexOf(Math.min(...places))
    places[next]! += each
  }
  return Math.max(...places)
}

/** '2:05' minutes, '26:01:05' hours. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
