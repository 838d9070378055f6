/** The plan of a training step as the trainer describes it to the addon, on float images; nothing native runs. */
import type { Shape } from '../../src/graph/tensor.js'
import { currentTrace } from '../../src/graph/trace.js'
import type { Module } from '../../src/nn/module.js'
import { sgd } from '../../src/optim/index.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import type { Feed } from '../../src/train/feed.js'
import { evaluationPlan, trainingPlan, type TrainingOptions, type TrainingPlan } from '../../src/train/training_plan.js'

export function feedOf(shape: Shape): Feed {
  return {
    batchesPerEpoch: 1,
    trace: () => ({
      images: currentTrace().input('images', { dtype: 'f32', shape }),
      labels: currentTrace().input('labels', { dtype: 'i32', shape: [shape[0]!] }),
    }),
    prepare: () => Promise.resolve(),
    async *batches() {
      // Nothing runs.
    },
  }
}

function optionsFor(model: Module, options: Partial<TrainingOptions>): TrainingOptions {
  model.assignNames()
  return {
    model,
    layout: new StoreLayout(model.parameters()),
    device: 'cpu',
    checked: false,
    numClasses: 10,
    loss: undefined,
    labelSmoothing: 0,
    optimizer: sgd({ lr: 0.1, momentum: 0.9 }),
    ema: undefined,
    accumulate: 1,
    clipGradNorm: 0,
    ...options,
  }
}

export function trainingPlanOf(model: Module, shape: Shape, options: Partial<TrainingOptions> = {}): TrainingPlan {
  return trainingPlan(feedOf(shape), optionsFor(model, options))
}

export const trainingDesc = (...of: Parameters<typeof trainingPlanOf>): PlanDesc => trainingPlanOf(...of).desc

export function evaluationDesc(model: Module, shape: Shape, options: Partial<TrainingOptions> = {}): PlanDesc {
  return evaluationPlan(feedOf(shape), optionsFor(model, options), options.ema ? 'ema' : 'weights')
}
