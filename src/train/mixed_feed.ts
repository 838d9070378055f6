/** Mixes the batches of another feed, mixup and cutmix: labels on the host, pixels on the device by operations that are there. */
import { mixBatch, type Mix } from '../data/mix.js'
import { add, affine, concat, mul, slice } from '../graph/functions.js'
import { currentTrace } from '../graph/trace.js'
import type { HostArrays, Plan } from '../runtime/plan.js'
import type { Feed, TracedBatch } from './feed.js'

export class MixedFeed implements Feed {
  readonly batchesPerEpoch: number

  constructor(
    private readonly plain: Feed,
    private readonly mix: Mix,
    private readonly options: {
      readonly batchSize: number
      readonly seed: number
      /** Of an image: height and width come first. */
      readonly shape: readonly [number, number, number]
    },
  ) {
    this.batchesPerEpoch = plain.batchesPerEpoch
  }

  trace(): TracedBatch {
    const trace = currentTrace()
    const { images, labels } = this.plain.trace()
    const { batchSize: n, shape } = this.options
    const [height, width] = shape
    const previous = concat([slice(images, [n - 1, 0, 0, 0], [1, ...shape]), slice(images, [0, 0, 0, 0], [n - 1, ...shape])], 0)
    const share = mul(
      trace.input('rows', { dtype: 'f32', shape: [n, height, 1, 1] }),
      trace.input('columns', { dtype: 'f32', shape: [n, 1, width, 1] }),
    )
    const mix = {
      labels2: trace.input('labels2', { dtype: 'i32', shape: [n] }),
      lambda: trace.input('lambda', { dtype: 'f32', shape: [n] }),
    }
    return { images: add(mul(images, affine(share, -1, 1)), mul(previous, share)), labels, mix }
  }

  prepare(plan: Plan): Promise<void> {
    return this.plain.prepare(plan)
  }

  async *batches(epoch: number, first = 0, passedOver = 0): AsyncGenerator<{ arrays: HostArrays; count: number }> {
    const { batchSize, seed, shape } = this.options
    let batch = first
    for await (const { arrays, count } of this.plain.batches(epoch, first, passedOver)) {
      const place = { seed, epoch, first: batch++ * batchSize }
      yield { arrays: { ...arrays, ...mixBatch(this.mix, arrays.labels as Int32Array, [shape[0], shape[1]], place) }, count }
    }
  }
}
