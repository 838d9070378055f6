/** Small data, small networks and a short training, for tests of the trainer. */
import { createHash } from 'node:crypto'
import * as data from '../../src/data/index.js'
import type { Tensor } from '../../src/graph/tensor.js'
import type { Classifier } from '../../src/models/classifier.js'
import { Conv2d, Flatten, GlobalAvgPool, Linear, MaxPool2d, Module, ReLU, Sequential, initialize } from '../../src/nn/index.js'
import { sgd } from '../../src/optim/index.js'
import type { HostArray } from '../../src/runtime/dtype.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import type { EpochEvent, StepEvent } from '../../src/train/events.js'

/** Images whose class can be seen: a brighter column a class, and noise that only depends on `salt`. */
export function pictures(size: number, [height, width, channels]: data.ImageShape = [16, 16, 3], classes = 4, salt = 1) {
  const labels = Int32Array.from({ length: size }, (_, n) => (n * 7 + salt) % classes)
  let noise = salt
  const images = Uint8Array.from({ length: size * height * width * channels }, (_, i) => {
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0
    const column = Math.floor(i / channels) % width
    const label = labels[Math.floor(i / (height * width * channels))]!
    return (noise >>> 25) + (column % classes === label ? 120 : 0)
  })
  return { images, labels }
}

export function source(
  size: number,
  shape: data.ImageShape = [16, 16, 3],
  options: { classes?: number; test?: number; salt?: number } = {},
) {
  const { classes = 4, test = 0, salt = 1 } = options
  return data.fromArrays({
    ...pictures(size, shape, classes, salt),
    shape,
    numClasses: classes,
    ...(test > 0 && { test: pictures(test, shape, classes, salt + 1) }),
  })
}

/** A network without batch norm: each image counts for itself. */
export class Plain extends Module {
  features = new Sequential(
    new Conv2d(3, 8, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(8, 8, 3, { groups: 2 }),
    new ReLU(),
  )
  head: Sequential
  constructor(classes = 4, head: 'pool' | 'flatten' = 'pool') {
    super()
    this.head =
      head === 'pool'
        ? new Sequential(new GlobalAvgPool(), new Linear(8, classes))
        : new Sequential(new Flatten(), new Linear(288, classes))
    initialize(this, 1)
  }
  forward(x: Tensor): Tensor {
    return this.head(this.features(x))
  }
}

export interface Trained {
  steps: StepEvent[]
  epochs: EpochEvent[]
  losses: Float32Array
  /** All parameters and running statistics, one after the other. */
  weights: Float32Array
}

/** Trains on the cpu until the end, or for so many steps, and disposes the trainer. */
export async function train(
  model: Module | Classifier,
  options: Partial<TrainerOptions> & Pick<TrainerOptions, 'data'>,
  steps = Infinity,
): Promise<Trained> {
  await using trainer = new Trainer(model, { batchSize: 8, epochs: 1, optimizer: sgd({ lr: 0.05, momentum: 0.9 }), ...options })
  const done: StepEvent[] = []
  const epochs: EpochEvent[] = []
  for await (const event of trainer.fit()) {
    if (event.type === 'step' && done.push(event) === steps) break
    if (event.type === 'epoch') epochs.push(event)
  }
  return { steps: done, epochs, losses: Float32Array.from(done, ({ loss }) => loss), weights: weightsOf(model) }
}

export function weightsOf(model: Module): Float32Array {
  const parameters = model.parameters()
  const weights = new Float32Array(parameters.reduce((sum, { size }) => sum + size, 0))
  let at = 0
  for (const parameter of parameters) {
    weights.set(parameter.data, at)
    at += parameter.size
  }
  return weights
}

/** The same for the same bytes. */
export function digest(values: HostArray): string {
  return createHash('sha256')
    .update(Buffer.from(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex')
}

/** The largest difference, relative to the largest value. */
export function difference(a: Float32Array, b: Float32Array): number {
  const scale = a.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30)
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), a.length === b.length ? 0 : Infinity) / scale
}
