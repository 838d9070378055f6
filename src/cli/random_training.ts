/** A training on random images, for what does not depend on what the images show: memory, speed, accounting. */
import { randomFillSync } from 'node:crypto'
import { fromBatches, type Batch } from '../data/index.js'
import type { Parameter } from '../graph/parameter.js'
import type { PassName } from '../graph/passes/optional.js'
import type { Memory } from '../graph/passes/recompute.js'
import type { Precision } from '../graph/precision.js'
import { inferencePlan } from '../graph/session.js'
import type { Classifier } from '../models/index.js'
import { sgd } from '../optim/index.js'
import type { EngineOptions } from '../runtime/policy.js'
import type { PlanDesc } from '../runtime/plan_desc.js'
import type { ArenaName } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { StreamFeed } from '../train/feed.js'
import type { LowMemory } from '../train/low_memory.js'
import { Trainer } from '../train/trainer.js'
import { arenasFor, trainingPlan } from '../train/training_plan.js'

export interface RandomImages {
  imageSize: number
  batchSize: number
  device: string
  /** Default 'f32'. */
  precision?: Precision
  engines?: EngineOptions
  disabledPasses?: readonly PassName[]
  /** Of a training; default 'normal'. */
  memory?: Memory
}

const optimizer = sgd({ lr: 0.01, momentum: 0.9 })

/** One epoch of so many steps, every step on the same images. */
function randomBatches({ inChannels, numClasses }: Classifier, { imageSize, batchSize }: RandomImages, steps: number) {
  async function* train(): AsyncGenerator<Batch> {
    const images = randomFillSync(new Uint8Array(batchSize * imageSize * imageSize * inChannels))
    const labels = Int32Array.from({ length: batchSize }, (_, i) => i % numClasses)
    for (let i = 0; i < steps; i++) yield await Promise.resolve({ images, labels })
  }
  return fromBatches({ train, shape: [imageSize, imageSize, inChannels], numClasses, batchesPerEpoch: steps })
}

/** SGD with momentum, one epoch of so many steps. */
export function randomTraining(model: Classifier, images: RandomImages, steps = 1): Trainer {
  const { batchSize, device, precision = 'f32', engines, disabledPasses = [], memory = 'normal' } = images
  const data = randomBatches(model, images, steps)
  return new Trainer(model, { data, batchSize, epochs: 1, device, precision, optimizer, disabledPasses, memory, ...engines })
}

/** A step as it is handed to a device, and what its store must hold. */
export interface StepPlan {
  readonly desc: PlanDesc
  readonly layout: StoreLayout<Parameter>
  readonly arenas: Partial<Record<ArenaName, number>>
  /** Of a training with memory 'low'. */
  readonly low?: LowMemory | undefined
}

/** Plans a step of that training, or an inference of the compiled model. */
export function planStep(model: Classifier, images: RandomImages, task: 'training' | 'inference'): StepPlan {
  const { imageSize, batchSize, device, precision = 'f32', engines, disabledPasses = [], memory = 'normal' } = images
  if (task === 'inference') {
    const shape = [batchSize, imageSize, imageSize, model.inChannels]
    const { desc, layout } = inferencePlan(model, {
      inputs: { images: { shape } },
      device,
      precision,
      disabledPasses,
      ...engines,
    })
    return { desc, layout, arenas: { weights: layout.size } }
  }
  model.assignNames()
  const stream = randomBatches(model, images, 1)
  const feed = new StreamFeed(stream, batchSize, stream.shape, stream.train)
  const layout = new StoreLayout<Parameter>(model.parameters())
  const plain = {
    checked: false,
    loss: undefined,
    labelSmoothing: 0,
    ema: undefined,
    accumulate: 1,
    clipGradNorm: 0,
  }
  const { numClasses } = model
  const options = { model, layout, device, numClasses, optimizer, precision, engines, disabledPasses, memory, ...plain }
  const { desc, low } = trainingPlan(feed, options)
  return { desc, layout, arenas: arenasFor(layout, optimizer, undefined), low }
}
