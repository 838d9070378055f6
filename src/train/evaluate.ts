/** Measures a model on test images: `evaluate` without a trainer, with no gradients and no optimizer state; a trainer with the same loop. */
import { checkPrecision, type Precision } from '../graph/precision.js'
import type { Module } from '../nn/module.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireSignal } from '../runtime/options.js'
import { Plan } from '../runtime/plan.js'
import { checkEngineOptions, engineOptionNames, type EngineOptions } from '../runtime/policy.js'
import { Store } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { Averages } from './averages.js'
import type { Evaluation } from './events.js'
import type { Feed } from './feed.js'
import { testFeedOf, type TrainingData } from './feeds.js'
import { StepLoader } from './step_loader.js'
import { checkFit } from './trainer_options.js'
import { evaluationPlan } from './training_plan.js'

/** Options of `evaluate`. */
export interface EvaluateModelOptions extends EngineOptions {
  /** Images a step; default 128. */
  batchSize?: number
  /** One of devices(); default 'cpu'. */
  device?: string
  /** The type of activations, as in compile(); default 'f32'. */
  precision?: Precision | undefined
  /** Ends it between two operations; it then throws the signal's reason. */
  signal?: AbortSignal
}

/**
 * Softmax cross-entropy and accuracy on the test images of `data`, with the weights that the model has now and its running
 * statistics. Throws InvalidArgument where model and data do not fit together or there are no test images.
 */
export async function evaluate(model: Module, data: TrainingData, options: EvaluateModelOptions = {}): Promise<Evaluation> {
  const where = 'evaluate'
  requireKnownOptions(where, options, ['batchSize', 'device', 'precision', 'signal', ...engineOptionNames])
  const { batchSize = 128, device = 'cpu', precision = 'f32', signal, ...engines } = options
  requireInteger(where, 'batchSize', batchSize)
  checkPrecision(where, precision, device)
  checkEngineOptions(where, engines)
  requireSignal(where, signal)
  checkFit(model, data)
  const feed = testFeedOf(data, { batchSize, seed: 0 })
  if (!feed) throw new InvalidArgument(`${where}: the data '${data.name}' has no test images`)
  model.assignNames()
  const layout = new StoreLayout(model.parameters())
  const { numClasses } = 'kind' in data ? data : data.train
  const plain = { checked: false, loss: undefined, labelSmoothing: 0 }
  const step = { model, layout, device, numClasses, precision, engines, ...plain }
  const store = await Store.create(device, { weights: layout.size })
  try {
    for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
    using plan = await Plan.create(evaluationPlan(feed, step, 'weights'), store, engines.onPrepare)
    await feed.prepare(plan)
    return await measure(plan, feed, signal)
  } finally {
    store.dispose()
  }
}

/** Runs an evaluation plan over all batches of `feed`: while one runs, the next is loaded and goes to the device. */
export async function measure(plan: Plan, feed: Feed, signal: AbortSignal | undefined): Promise<Evaluation> {
  const averages = new Averages()
  const loader = new StepLoader(feed.batches(0), batches => batches.map(arrays => plan.stage(arrays)))
  try {
    for (let loaded = await loader.next(); loaded; loaded = await loader.next()) {
      const running = plan.run(loaded.staged, { signal })
      loader.begin()
      averages.add((await running).outputs)
    }
    return averages.evaluation()
  } finally {
    await loader.close()
  }
}
