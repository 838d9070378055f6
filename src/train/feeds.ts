/** The feed for each kind of data. */
import type { BatchStream } from '../data/batch_stream.js'
import type { DataSource } from '../data/dataset.js'
import type { ImageFileSource } from '../data/image_files.js'
import type { Mix } from '../data/mix.js'
import { ResidentFeed, StreamFeed, type Feed } from './feed.js'
import { FilesFeed } from './files_feed.js'
import { MixedFeed } from './mixed_feed.js'

/** All that can be trained on. */
export type TrainingData = DataSource | BatchStream | ImageFileSource

export interface TrainFeedOptions extends Mix {
  readonly batchSize: number
  readonly seed: number
  /** Batches a step. */
  readonly accumulate: number
}

export function trainFeedOf(data: TrainingData, options: TrainFeedOptions): Feed {
  const plain = plainFeedOf(data, options)
  const { shape } = 'kind' in data ? data : data.train
  return options.mixup + options.cutmix > 0 ? new MixedFeed(plain, options, { ...options, shape }) : plain
}

function plainFeedOf(data: TrainingData, { batchSize, seed, accumulate }: TrainFeedOptions): Feed {
  if (!('kind' in data)) return new ResidentFeed(data, data.train, { batchSize, seed, training: true, dropLast: true })
  // A step's batches are read while it runs, and again when it has to be repeated, while those of the next are loaded.
  const hold = 2 * accumulate
  if (data.kind === 'stream') return new StreamFeed(data, batchSize, data.shape, data.train, hold)
  return new FilesFeed(data, data.train, { batchSize, seed, training: true, hold })
}

/** undefined: there are no test images. */
export function testFeedOf(data: TrainingData, { batchSize, seed }: { batchSize: number; seed: number }): Feed | undefined {
  if (!('kind' in data))
    return data.test.size > 0
      ? new ResidentFeed(data, data.test, { batchSize, seed, training: false, dropLast: false })
      : undefined
  // One is measured while the next is loaded.
  if (data.kind === 'stream') return data.test && new StreamFeed(data, batchSize, data.testShape, data.test)
  return data.test && new FilesFeed(data, data.test, { batchSize, seed, training: false, hold: 2 })
}
