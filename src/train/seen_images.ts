/** What a training sees: the images of a batch as the device makes them of the data, and their labels. */
import { serialise } from '../graph/serialise.js'
import { Trace, withTrace } from '../graph/trace.js'
import { Plan } from '../runtime/plan.js'
import { Store } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { trainFeedOf, type TrainFeedOptions, type TrainingData } from './feeds.js'

export interface SeenImages {
  /** Normalised, [N, H, W, C]. */
  readonly images: Float32Array
  /** One a label image; with mixing the label with the larger share. */
  readonly labels: Int32Array
  /** With mixing: the other label, and the share of the first. */
  readonly labels2?: Int32Array
  readonly lambda?: Float32Array
  /** How many of the N are images; the others have label −1. */
  readonly count: number
}

/** The first batch of an epoch. */
export async function seenImages(data: TrainingData, epoch: number, options: TrainFeedOptions): Promise<SeenImages> {
  const feed = trainFeedOf(data, options)
  const trace = new Trace(true)
  const { graph } = trace
  graph.outputs.set('images', withTrace(trace, () => feed.trace()).images)
  const plain = { device: 'cpu', checked: false, parameters: 'weights', regions: [], wholeStep: new Set<never>() } as const
  using store = await Store.create('cpu', {})
  using plan = await Plan.create(serialise(graph, { ...plain, layout: new StoreLayout([]) }), store)
  await feed.prepare(plan)
  for await (const { arrays, count } of feed.batches(epoch)) {
    const { outputs } = await plan.run([arrays])
    const { labels, labels2, lambda } = arrays as { labels: Int32Array; labels2?: Int32Array; lambda?: Float32Array }
    const mix = labels2 && lambda ? { labels2: labels2.slice(), lambda } : {}
    return { images: outputs.images!.data as Float32Array, labels: labels.slice(), ...mix, count }
  }
  throw new Error('an epoch has at least one batch')
}
