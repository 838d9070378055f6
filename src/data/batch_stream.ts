/** The caller's own batches as training data: `data.fromBatches`. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import type { Batch } from './batch.js'
import type { ImageShape } from './dataset.js'

export interface BatchStreamOptions {
  /** The batches of an epoch; each must hold the trainer's batchSize (fill up with label -1). */
  train: (epoch: number) => AsyncIterable<Batch>
  /** The batches of an evaluation; each must hold the trainer's evalBatchSize (fill up with label -1). */
  test?: () => AsyncIterable<Batch>
  /** [height, width, channels] of an image. */
  shape: ImageShape
  numClasses: number
  /** How many batches an epoch of `train` has: schedules and progress count by it. */
  batchesPerEpoch: number
  /** 'u8' (default): bytes, normalised by mean and std on the device. 'f32': floats, taken as they are. */
  imageType?: 'u8' | 'f32'
  /** One number a channel, of value/255. Default: 0 and 1. */
  mean?: readonly number[]
  std?: readonly number[]
  /** True if every batch has `labels2` and `lambda`. */
  mixed?: boolean
  name?: string
}

export type BatchStream = Required<Omit<BatchStreamOptions, 'test'>> &
  Pick<BatchStreamOptions, 'test'> & { readonly kind: 'stream' }

const known = ['train', 'test', 'shape', 'numClasses', 'batchesPerEpoch', 'imageType', 'mean', 'std', 'mixed', 'name']

/** Training data from any async iterable of batches. */
export function fromBatches(options: BatchStreamOptions): BatchStream {
  const where = 'data.fromBatches'
  requireKnownOptions(where, options, known)
  const { train, test, shape, numClasses, batchesPerEpoch, imageType = 'u8', mixed = false, name = 'batches' } = options
  if (typeof train !== 'function')
    throw new InvalidArgument(`${where}: train must be a function (epoch) => async iterable of batches`)
  if (!Array.isArray(shape) || shape.length !== 3) throw new InvalidArgument(`${where}: shape must be [height, width, channels]`)
  shape.forEach((size: unknown, i) => requireInteger(where, `shape[${i}]`, size))
  requireInteger(where, 'numClasses', numClasses)
  requireInteger(where, 'batchesPerEpoch', batchesPerEpoch)
  requireOneOf(where, 'imageType', imageType, ['u8', 'f32'])
  const channels = shape[2]
  const { mean = Array<number>(channels).fill(0), std = Array<number>(channels).fill(1) } = options
  for (const [key, list] of Object.entries({ mean, std })) {
    if (list.length !== channels)
      throw new InvalidArgument(`${where}: ${key} must have one number a channel (${channels}), got ${list.length}`)
  }
  return { kind: 'stream', train, ...(test && { test }), shape, numClasses, batchesPerEpoch, imageType, mean, std, mixed, name }
}
