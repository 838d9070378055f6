/** The caller's own batches as training data: `data.fromBatches`. */
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import type { Batch } from './batch.js'
import type { ImageShape } from './dataset.js'

/** Options of `fromBatches`. */
export interface BatchStreamOptions {
  /**
   * The batches of an epoch; each must hold the trainer's batchSize (fill up with label -1). A training that resumes in the middle
   * of an epoch asks for it again and passes over the first ones: the same epoch must give the same batches.
   */
  train: (epoch: number) => AsyncIterable<Batch>
  /** The batches of an evaluation; each must hold the trainer's evalBatchSize (fill up with label -1). */
  test?: () => AsyncIterable<Batch>
  /** [height, width, channels] of an image. */
  shape: ImageShape
  /** [height, width, channels] of a test image, with the same channels; default: `shape`. */
  testShape?: ImageShape
  /** Labels are 0 to numClasses - 1. */
  numClasses: number
  /** How many batches an epoch of `train` has: schedules and progress count by it. */
  batchesPerEpoch: number
  /** 'u8' (default): bytes, normalised by mean and std on the device. 'f32': floats, taken as they are. */
  imageType?: 'u8' | 'f32'
  /** Taken from value/255, one number a channel; default 0. */
  mean?: readonly number[]
  /** What the result is divided by, one number a channel; default 1. */
  std?: readonly number[]
  /** True if every batch has `labels2` and `lambda`. */
  mixed?: boolean
  /** In messages and run folders; default 'batches'. */
  name?: string
}

/** Batches of the caller's own as `Trainer` takes them: the checked options of `fromBatches`, defaults filled in. */
export type BatchStream = Required<Omit<BatchStreamOptions, 'test'>> &
  Pick<BatchStreamOptions, 'test'> & {
    /** Tells it from a data set. */
    readonly kind: 'stream'
  }

const known = [
  'train',
  'test',
  'shape',
  'testShape',
  'numClasses',
  'batchesPerEpoch',
  'imageType',
  'mean',
  'std',
  'mixed',
  'name',
]

/**
 * Training data from any async iterables of batches, such as async generators. Throws InvalidArgument for options that are
 * wrong, and in training for a batch that is not as they say, with its number.
 */
export function fromBatches(options: BatchStreamOptions): BatchStream {
  const where = 'data.fromBatches'
  requireKnownOptions(where, options, known)
  const { train, test, shape, numClasses, batchesPerEpoch, imageType = 'u8', mixed = false, name = 'batches' } = options
  if (typeof train !== 'function')
    throw new InvalidArgument(`${where}: train must be a function (epoch) => async iterable of batches`)
  const { testShape = shape } = options
  for (const [key, value] of Object.entries({ shape, testShape })) {
    if (!Array.isArray(value) || value.length !== 3)
      throw new InvalidArgument(`${where}: ${key} must be [height, width, channels]`)
    value.forEach((size: unknown, i) => requireInteger(where, `${key}[${i}]`, size))
  }
  if (testShape[2] !== shape[2])
    throw new InvalidArgument(`${where}: testShape has ${testShape[2]} channels, shape has ${shape[2]}: they must agree`)
  requireInteger(where, 'numClasses', numClasses)
  requireInteger(where, 'batchesPerEpoch', batchesPerEpoch)
  requireOneOf(where, 'imageType', imageType, ['u8', 'f32'])
  const channels = shape[2]
  const { mean = Array<number>(channels).fill(0), std = Array<number>(channels).fill(1) } = options
  for (const [key, list] of Object.entries({ mean, std })) {
    if (list.length !== channels)
      throw new InvalidArgument(`${where}: ${key} must have one number a channel (${channels}), got ${list.length}`)
  }
  return {
    kind: 'stream',
    train,
    ...(test && { test }),
    shape,
    testShape,
    numClasses,
    batchesPerEpoch,
    imageType,
    mean,
    std,
    mixed,
    name,
  }
}
