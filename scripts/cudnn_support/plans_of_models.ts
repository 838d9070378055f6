/**
 * Plans as the backend gets them: a training step, an evaluation and an inference, erased and not, in f32 and bf16. Those of every registered model, and those of
 * the small networks that are tested on the simulated GPU.
 */
import { fromBatches } from '../../src/data/index.js'
import { eraseReLU } from '../../src/erase.js'
import { inferencePlan } from '../../src/graph/session.js'
import { build, list } from '../../src/models/registry.js'
import type { Module } from '../../src/nn/module.js'
import { sgd } from '../../src/optim/index.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { StreamFeed } from '../../src/train/feed.js'
import { evaluationPlan, trainingPlan } from '../../src/train/training_plan.js'
import { networks } from '../../test/golden/families.js'

export type Precision = 'f32' | 'bf16'

/** Images of a batch; what cuDNN supports does not hang on it. */
export const batchSize = 64

export interface PlanOfModel {
  readonly model: string
  readonly use: 'training' | 'evaluation' | 'inference'
  readonly erased: boolean
  readonly precision: Precision
  readonly plan: PlanDesc
}

interface Images {
  readonly imageSize: number
  readonly inChannels: number
  readonly numClasses: number
}

export function* plansOfModels(names: readonly string[] = list()): Generator<PlanOfModel> {
  for (const name of names) {
    const model = build(name)
    yield* plansOf(name, model, model)
  }
}

export function* plansOfTests(): Generator<PlanOfModel> {
  for (const [name, make] of Object.entries(networks))
    yield* plansOf(name, make(), { imageSize: 32, inChannels: 3, numClasses: 10 })
}

function* plansOf(name: string, model: Module, { imageSize, inChannels, numClasses }: Images): Generator<PlanOfModel> {
  const stream = fromBatches({
    train: noBatches,
    shape: [imageSize, imageSize, inChannels],
    numClasses,
    batchesPerEpoch: 1,
    mean: Array<number>(inChannels).fill(0.5),
  })
  const shape = [batchSize, imageSize, imageSize, inChannels]
  const feed = new StreamFeed(stream, batchSize, stream.shape, noBatches)
  model.assignNames()
  const layout = new StoreLayout(model.parameters())
  const common = { model, layout, device: 'cuda', checked: false, numClasses, loss: undefined, labelSmoothing: 0 }
  const optimizer = sgd({ lr: 0.1, momentum: 0.9 })
  for (const erased of [false, true]) {
    eraseReLU(model, { location: 'last', proportion: erased ? 1 : 0, allowLinear: true })
    for (const precision of ['f32', 'bf16'] as const) {
      const step = { ...common, precision }
      const { desc } = trainingPlan(feed, { ...step, optimizer, ema: undefined, accumulate: 1, clipGradNorm: 0 })
      yield { model: name, use: 'training', erased, precision, plan: desc }
      yield { model: name, use: 'evaluation', erased, precision, plan: evaluationPlan(feed, step, 'weights') }
      const { desc: inference } = inferencePlan(model, { inputs: { x: { shape } }, device: 'cuda', precision })
      yield { model: name, use: 'inference', erased, precision, plan: inference }
    }
  }
}

async function* noBatches(): AsyncGenerator<never> {
  // The plans are not run.
}
