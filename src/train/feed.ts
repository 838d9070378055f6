/**
 * Feeds: how batches get into a plan. A data source lives on the device and is gathered by index; batches of the caller's
 * own are copied in. Each feed adds its input nodes to the graph and turns its batches into the arrays those nodes read.
 */
import { checkBatch, type Batch } from '../data/batch.js'
import type { BatchStream } from '../data/batch_stream.js'
import { noAugment, type Augment, type DataSource, type ImageDataset, type ImageShape } from '../data/dataset.js'
import { Loader, type LoadedBatch } from '../data/loader.js'
import { affine, gatherImages, imageInput, mul, type ImageOptions, type LabelMix } from '../graph/functions.js'
import type { Tensor } from '../graph/tensor.js'
import { currentTrace } from '../graph/trace.js'
import type { HostArrays, Plan } from '../runtime/plan.js'

/** What the traced batch offers to the model and the loss. */
export interface TracedBatch {
  /** The network's input, f32 [N, H, W, C]. */
  readonly images: Tensor
  /** i32 [N]; -1: ignored. */
  readonly labels: Tensor
  /** The second label set and the share of the first, where the batches have them. */
  readonly mix?: LabelMix
}

export interface Feed {
  readonly batchesPerEpoch: number
  /** Adds the input nodes to the open trace. */
  trace(): TracedBatch
  /** Uploads what stays on the device. */
  prepare(plan: Plan): Promise<void>
  /**
   * The arrays of each batch of an epoch from number `first` (default 0) on, and how many real images it has. The arrays stay as
   * they are until the step of the batch has ended, while the batches of the next step are asked for. `passedOver`: how many places
   * of the batches before `first` had no image.
   */
  batches(epoch: number, first?: number, passedOver?: number): AsyncIterable<{ arrays: HostArrays; count: number }>
}

/** How bytes become the network's input. */
export const imageOptions = (
  { mean, std }: Pick<DataSource, 'mean' | 'std'>,
  [height, width]: ImageShape,
  { pad, padMode, cutout }: Augment,
): ImageOptions => ({
  mean,
  std,
  pad,
  padMode,
  cutout,
  height,
  width,
})

/** A data set in memory: uploaded once, gathered by index, cropped, flipped and normalised on the device. */
export class ResidentFeed implements Feed {
  private readonly loader: Loader
  readonly batchesPerEpoch: number

  constructor(
    private readonly source: DataSource,
    private readonly dataset: ImageDataset,
    options: { batchSize: number; seed: number; training: boolean; dropLast: boolean },
  ) {
    const { batchSize, seed, training, dropLast } = options
    this.loader = new Loader(dataset, {
      batchSize,
      seed,
      shuffle: training,
      dropLast,
      augment: training ? source.augment : noAugment,
    })
    this.batchesPerEpoch = this.loader.batchesPerEpoch
  }

  trace(): TracedBatch {
    const trace = currentTrace()
    const { batchSize: n, augment } = this.loader
    const input = (name: keyof LoadedBatch, dtype: 'f32' | 'i32' | 'u8', shape: number[]) => trace.input(name, { dtype, shape })
    const { shape, size } = this.dataset
    const dataset = trace.graph.source({ dtype: 'u8', shape: [size, ...shape] }, 'dataset', { kind: 'resident', name: 'dataset' })
    const gathered = gatherImages(
      dataset,
      input('indices', 'i32', [n]),
      input('offsets', 'i32', [n, 2]),
      input('flips', 'u8', [n]),
      imageOptions(this.source, shape, augment),
      augment.cutout > 0 ? input('cutouts', 'i32', [n, 2]) : undefined,
    )
    const labels = input('labels', 'i32', [n])
    if (augment.randomErasing === 0) return { images: gathered, labels }
    const [rows, columns] = [input('erasedRows', 'f32', [n, shape[0], 1, 1]), input('erasedColumns', 'f32', [n, 1, shape[1], 1])]
    return { images: mul(gathered, affine(mul(rows, columns), -1, 1)), labels }
  }

  async prepare(plan: Plan): Promise<void> {
    await plan.setResident('dataset', this.dataset.images)
  }

  async *batches(epoch: number, first = 0): AsyncGenerator<{ arrays: HostArrays; count: number }> {
    for (const { count, ...arrays } of this.loader.batches(epoch, first)) yield await Promise.resolve({ arrays, count })
  }
}

/** Batches of the caller's own, bytes or floats. */
export class StreamFeed implements Feed {
  readonly batchesPerEpoch: number

  constructor(
    private readonly stream: BatchStream,
    private readonly batchSize: number,
    /** Of an image: the stream's `shape` or `testShape`. */
    private readonly shape: ImageShape,
    private readonly open: (epoch: number) => AsyncIterable<Batch>,
    /** How many batches stay as they are: one copy takes the place of the one so many before. */
    private readonly hold = 2,
  ) {
    this.batchesPerEpoch = stream.batchesPerEpoch
  }

  trace(): TracedBatch {
    const trace = currentTrace()
    const { batchSize: n, stream, shape } = this
    const { imageType } = stream
    const given = trace.input('images', { dtype: imageType, shape: [n, ...shape] })
    const images =
      imageType === 'f32'
        ? given
        : imageInput(
            given,
            trace.input('offsets', { dtype: 'i32', shape: [n, 2] }),
            trace.input('flips', { dtype: 'u8', shape: [n] }),
            imageOptions(stream, shape, noAugment),
          )
    const labels = trace.input('labels', { dtype: 'i32', shape: [n] })
    if (!stream.mixed) return { images, labels }
    const mix = {
      labels2: trace.input('labels2', { dtype: 'i32', shape: [n] }),
      lambda: trace.input('lambda', { dtype: 'f32', shape: [n] }),
    }
    return { images, labels, mix }
  }

  prepare(): Promise<void> {
    return Promise.resolve()
  }

  async *batches(epoch: number, first = 0): AsyncGenerator<{ arrays: HostArrays; count: number }> {
    const { stream, batchSize, shape } = this
    const still = { offsets: new Int32Array(2 * batchSize), flips: new Uint8Array(batchSize) }
    const ring: Batch['images'][] = []
    let number = 0
    for await (const batch of this.open(epoch)) {
      if (number++ < first) continue
      checkBatch(batch, { ...stream, batchSize, shape }, `${stream.name}: batch ${number - 1} of epoch ${epoch}`)
      // Copies: the caller may fill the same arrays again while this batch waits for the others of its step.
      const { images, labels, labels2, lambda } = batch
      const mix = stream.mixed && labels2 && lambda ? { labels2: labels2.slice(), lambda: lambda.slice() } : {}
      const place = number % this.hold
      if (ring[place]) ring[place].set(images)
      else ring[place] = images.slice()
      const arrays = { images: ring[place], labels: labels.slice(), ...mix, ...(stream.imageType === 'u8' ? still : {}) }
      yield { arrays, count: labels.reduce((count, label) => count + (label >= 0 ? 1 : 0), 0) }
    }
  }
}
