/** Measures a model on test images, without a trainer: no gradients, no optimizer state. */
import type { DataSource } from '../data/dataset.js'
import { checkPrecision, type Precision } from '../graph/precision.js'
import type { Module } from '../nn/module.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireSignal } from '../runtime/options.js'
import { Plan } from '../runtime/plan.js'
import { Store } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { Averages } from './averages.js'
import type { Evaluation } from './events.js'
import { ResidentFeed } from './feed.js'
import { checkFit } from './trainer_options.js'
import { evaluationPlan } from './training_plan.js'

/** Options of `evaluate`. */
export interface EvaluateModelOptions {
  /** Images a step; default 128. */
  batchSize?: number
  /** 'cpu' (default) or 'reference'. */
  device?: string
  /** The type of activations, as in compile(); default 'f32'. */
  precision?: Precision
  /** Ends it between two operations; it then throws the signal's reason. */
  signal?: AbortSignal
}

/**
 * Softmax cross-entropy and accuracy on the test images of `data`, with the weights that the model has now and its running
 * statistics. Throws InvalidArgument where model and data do not fit together or there are no test images.
 */
export async function evaluate(model: Module, data: DataSource, options: EvaluateModelOptions = {}): Promise<Evaluation> {
  const where = 'evaluate'
  requireKnownOptions(where, options, ['batchSize', 'device', 'precision', 'signal'])
  const { batchSize = 128, device = 'cpu', precision = 'f32', signal } = options
  requireInteger(where, 'batchSize', batchSize)
  checkPrecision(where, precision, device)
  requireSignal(where, signal)
  checkFit(model, data)
  if (data.test.size === 0) throw new InvalidArgument(`${where}: the data '${data.name}' has no test images`)
  const feed = new ResidentFeed(data, data.test, { batchSize, seed: 0, training: false, dropLast: false })
  model.assignNames()
  const layout = new StoreLayout(model.parameters())
  const { numClasses } = data.train
  const plain = { tiled: true, checked: false, loss: undefined, labelSmoothing: 0 }
  const step = { model, layout, device, numClasses, precision, ...plain }
  const store = await Store.create(device, { weights: layout.size })
  try {
    for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
    using plan = await Plan.create(evaluationPlan(feed, step, 'weights'), store)
    await feed.prepare(plan)
    const averages = new Averages()
    for await (const { arrays } of feed.batches(0)) averages.add((await plan.run([arrays], { signal })).outputs)
    return averages.evaluation()
  } finally {
    store.dispose()
  }
}
