/**
 * Which images make a batch and how each is cropped and flipped. The pixels stay where they are: `gatherImages` does the work
 * (docs/vocabulary.md). Every random choice is a function of (seed, epoch, image), so a resumed run sees the same batches.
 */
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger } from '../runtime/options.js'
import { checkSeed, integerBelow, permutation, philoxBlock, streams } from '../runtime/philox.js'
import { batchesOf, checkRank, startOf, type Rank } from './epoch_order.js'
import { eraseRectangle } from './random_erasing.js'
import { checkedAugment, noAugment, type Augment, type ImageDataset } from './dataset.js'

/** Options of `Loader`. With `rank` and `ranks` it is that of one process of a data-parallel training: batches of its own, of the same order. */
export interface LoaderOptions extends Rank {
  /** Images a batch. */
  batchSize: number
  /** Of order and augmentation, an integer of at least 0; default 0. */
  seed?: number
  /** A new random order every epoch (default false: the order of the data set). */
  shuffle?: boolean
  /** Default: none. */
  augment?: Partial<Augment>
  /** Leave out a last batch that is not full, for all ranks together (default false: fill it with index −1 and label −1). */
  dropLast?: boolean
}

/** The operands of `gatherImages` and the labels, for one batch of B images. */
export interface LoadedBatch {
  /** Of the data set, [B]; −1: no image. */
  indices: Int32Array
  /** Top and left of the crop in the padded image, [B, 2]. */
  offsets: Int32Array
  /** 1 where the image is mirrored, [B]. */
  flips: Uint8Array
  /** Centre y, x of the cutout in the crop, [B, 2]; only where `augment.cutout` is not 0. */
  cutouts?: Int32Array
  /** 1 in the rows of the rectangle that is erased, [B, height]; only where `augment.randomErasing` is not 0. */
  erasedRows?: Float32Array
  /** 1 in its columns, [B, width]. */
  erasedColumns?: Float32Array
  /** Of the data set, [B]; −1: no image. */
  labels: Int32Array
  /** How many of the B are images; they come first. */
  count: number
}

/** The batches of a data set, epoch by epoch: which images, in which order, and how each is changed. */
export class Loader {
  /** Images a batch. */
  readonly batchSize: number
  /** `gatherImages` must run with this pad, padMode and cutout. */
  readonly augment: Augment
  /** Full batches, and one that is filled up where `dropLast` is not set. */
  readonly batchesPerEpoch: number
  readonly #seed: number
  readonly #shuffle: boolean
  readonly #rank: Required<Rank>

  constructor(
    /** Where the images are. */
    readonly dataset: ImageDataset,
    { batchSize, seed = 0, shuffle = false, augment = noAugment, dropLast = false, ...rank }: LoaderOptions,
  ) {
    requireInteger('Loader', 'batchSize', batchSize)
    checkSeed(seed)
    this.#rank = checkRank('Loader', rank)
    const globalBatch = batchSize * this.#rank.ranks
    if (dropLast && dataset.size < globalBatch)
      throw new InvalidArgument(
        `batchSize ${batchSize}${globalBatch > batchSize ? ` of ${this.#rank.ranks} ranks` : ''} is larger than the ${dataset.size} images of '${dataset.name}': no batch would be full`,
      )
    this.batchSize = batchSize
    this.augment = checkedAugment(augment, dataset.shape)
    this.batchesPerEpoch = batchesOf(dataset.size, batchSize, this.#rank, dropLast)
    this.#seed = seed
    this.#shuffle = shuffle
  }

  /** The batches of one epoch from number `firstBatch` on; every batch has arrays of its own. */
  *batches(epoch: number, firstBatch = 0): Generator<LoadedBatch, void> {
    const order = this.#shuffle ? permutation(this.dataset.size, this.#seed, epoch) : undefined
    for (let batch = firstBatch; batch < this.batchesPerEpoch; ++batch) yield this.#batch(epoch, batch, order)
  }

  #batch(epoch: number, number: number, order: Int32Array | undefined): LoadedBatch {
    const { batchSize, dataset, augment } = this
    const start = startOf(number, batchSize, this.#rank)
    const count = Math.min(batchSize, Math.max(0, dataset.size - start))
    const indices = new Int32Array(batchSize).fill(-1, count)
    const labels = new Int32Array(batchSize).fill(-1, count)
    const offsets = new Int32Array(2 * batchSize).fill(augment.pad)
    const flips = new Uint8Array(batchSize)
    const cutouts = augment.cutout > 0 ? new Int32Array(2 * batchSize) : undefined
    const [height, width] = dataset.shape
    const erased = augment.randomErasing > 0 && {
      erasedRows: new Float32Array(batchSize * height),
      erasedColumns: new Float32Array(batchSize * width),
    }
    const words = new Uint32Array(4)
    for (let n = 0; n < count; ++n) {
      const image = order ? order[start + n]! : start + n
      indices[n] = image
      labels[n] = dataset.labels[image]!
      if (augment.pad > 0 || augment.flip) {
        philoxBlock(this.#seed, epoch, streams.augment, image, words)
        offsets[2 * n] = integerBelow(words[0]!, 2 * augment.pad + 1)
        offsets[2 * n + 1] = integerBelow(words[1]!, 2 * augment.pad + 1)
        if (augment.flip) flips[n] = words[2]! >>> 31
      }
      if (cutouts) {
        philoxBlock(this.#seed, epoch, streams.cutout, image, words)
        cutouts[2 * n] = integerBelow(words[0]!, height)
        cutouts[2 * n + 1] = integerBelow(words[1]!, width)
      }
      if (erased) {
        const rows = erased.erasedRows.subarray(n * height, (n + 1) * height)
        const columns = erased.erasedColumns.subarray(n * width, (n + 1) * width)
        eraseRectangle(augment.randomErasing, this.#seed, epoch, image, rows, columns)
      }
    }
    return { indices, offsets, flips, ...(cutouts && { cutouts }), ...erased, labels, count }
  }
}
