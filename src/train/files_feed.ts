/** Feeds a plan with image files: native threads decode, crop, resize and mirror them, the device normalises. */
import { batchesOf, checkRank, shuffledBatches, type Rank } from '../data/epoch_order.js'
import type { ImageFileSet, ImageFileSource } from '../data/image_files.js'
import { noAugment, type ImageShape } from '../data/dataset.js'
import { imageInput } from '../graph/functions.js'
import { currentTrace } from '../graph/trace.js'
import type { BatchPlace } from '../runtime/addon.js'
import { InvalidArgument } from '../runtime/errors.js'
import { ImageFiles, ImageReader, imageRing, noChanges, type ImageChanges, type ImageView } from '../runtime/image_reader.js'
import type { HostArrays } from '../runtime/plan.js'
import { imageOptions, type Feed, type TracedBatch } from './feed.js'

/** `rank`, `ranks`: of a data-parallel training; an evaluation is not divided. */
export interface FilesFeedOptions extends Rank {
  readonly batchSize: number
  readonly seed: number
  /** True: random views in a random order, full batches only. */
  readonly training: boolean
  /** Batches that must stay as they are while others are loaded. */
  readonly hold: number
}

/** What is done to the pixels of a training image. */
function changesOf(options: ImageFileSource['options']): ImageChanges {
  const { colorJitter, lighting, randomErasing, erasingScale, erasingRatio, erasingValue, mean } = options
  const [brightness, contrast, saturation] = colorJitter
  const area = { minScale: erasingScale[0], maxScale: erasingScale[1], minRatio: erasingRatio[0], maxRatio: erasingRatio[1] }
  const colour = mean.map(value => Math.round(255 * Math.min(1, Math.max(0, value))))
  return {
    colour: { brightness, contrast, saturation, lighting },
    erasing: { probability: randomErasing, ...area, noise: erasingValue === 'random', colour },
  }
}

export class FilesFeed implements Feed {
  readonly batchesPerEpoch: number
  private readonly shape: ImageShape
  private readonly view: ImageView
  private readonly changes: ImageChanges
  private readonly rank: Required<Rank>
  private files: ImageFiles | undefined
  /** Of a pass that is over, for the next one. */
  private spare: BatchPlace[] | undefined

  constructor(
    private readonly source: ImageFileSource,
    private readonly set: ImageFileSet,
    private readonly options: FilesFeedOptions,
  ) {
    const { batchSize, training } = options
    const size = set.names.length
    this.rank = checkRank('FilesFeed', training ? options : {})
    if (training && size < batchSize * this.rank.ranks)
      throw new InvalidArgument(
        `batchSize ${batchSize}${this.rank.ranks > 1 ? ` of ${this.rank.ranks} ranks` : ''} is larger than the ${size} images of '${source.name}': no batch would be full`,
      )
    this.batchesPerEpoch = batchesOf(size, batchSize, this.rank, training)
    this.shape = training ? source.shape : source.testShape
    const { scale, ratio, flip, valResizeSize } = source.options
    const [height, width] = this.shape
    const crop = { minScale: scale[0], maxScale: scale[1], minRatio: ratio[0], maxRatio: ratio[1] }
    this.view = { height, width, random: training, ...crop, flip: training && flip, resize: valResizeSize }
    this.changes = training ? changesOf(source.options) : noChanges
  }

  trace(): TracedBatch {
    const trace = currentTrace()
    const { batchSize: n } = this.options
    const images = imageInput(
      trace.input('images', { dtype: 'u8', shape: [n, ...this.shape] }),
      trace.input('offsets', { dtype: 'i32', shape: [n, 2] }),
      trace.input('flips', { dtype: 'u8', shape: [n] }),
      imageOptions(this.source, this.shape, noAugment),
    )
    return { images, labels: trace.input('labels', { dtype: 'i32', shape: [n] }) }
  }

  prepare(): Promise<void> {
    return Promise.resolve()
  }

  async *batches(epoch: number, first = 0, passedOver = 0): AsyncGenerator<{ arrays: HostArrays; count: number }> {
    const { batchSize, seed, training, hold } = this.options
    const { workers: threads, prefetch: ahead } = this.source.options
    const maxCorrupt = Math.max(0, this.source.options.maxCorrupt - passedOver)
    const { root, names, labels, pieces } = this.set
    this.files ??= new ImageFiles(root, names, labels, pieces)
    // Full batches only: no image is read that is not used.
    const order = training ? shuffledBatches(names.length, batchSize, seed, epoch, this.rank) : Int32Array.from(names.keys())
    const ring = this.spare ?? imageRing(ahead + hold, batchSize, this.view)
    this.spare = undefined
    const shared = { view: this.view, ...this.changes, seed, epoch, batchSize, ahead, threads, maxCorrupt }
    const reader = new ImageReader(this.files, { ...shared, order, firstBatch: first }, ring)
    const still = { offsets: new Int32Array(2 * batchSize), flips: new Uint8Array(batchSize) }
    let next = first
    try {
      while (next < this.batchesPerEpoch) {
        const { images, labels, count, faults } = await reader.next()
        for (const fault of faults) process.emitWarning(`passed over ${fault}`, { code: 'ERASERELU_IMAGE' })
        ++next
        yield { arrays: { images, labels, ...still }, count }
      }
    } finally {
      reader.dispose()
      // A pass that was broken off may have left batches staged, which are still read.
      if (next === this.batchesPerEpoch) this.spare = ring
    }
  }
}
