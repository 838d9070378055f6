/** Batches that the caller makes: any async iterable of these can be trained on. */
import { InvalidArgument } from '../runtime/errors.js'
import type { ImageShape } from './dataset.js'

/** One batch of N images. */
export interface Batch {
  /** Of shape [N, height, width, channels]. Bytes, normalised by the data source's mean and std, or floats, taken as they are. */
  images: Uint8Array | Float32Array
  /** One class number an image; −1: the image is ignored. */
  labels: Int32Array
  /** A second label an image, for mixed images (mixup, cutmix); both of these or neither. */
  labels2?: Int32Array
  /** Share of the first label in the target, 0 to 1, one number an image. */
  lambda?: Float32Array
}

/** The batches of one epoch. */
export type BatchSource = AsyncIterable<Batch>

/** What a compiled plan expects of every batch. */
export interface BatchSpec {
  /** Images a batch. */
  batchSize: number
  /** Of one image. */
  shape: ImageShape
  /** Labels are 0 to numClasses - 1. */
  numClasses: number
  /** Bytes or floats. */
  imageType: 'u8' | 'f32'
  /** Whether every batch has `labels2` and `lambda`. */
  mixed: boolean
}

/** Throws unless `batch` is what `spec` asks for; `where` names the batch in the message, as in 'batch 17'. */
export function checkBatch(batch: Batch, { batchSize, shape, numClasses, imageType, mixed }: BatchSpec, where: string): void {
  const type = imageType === 'u8' ? Uint8Array : Float32Array
  if (!(batch.images instanceof type))
    throw new InvalidArgument(`${where}: images must be a ${type.name} (imageType '${imageType}')`)
  const expected = batchSize * shape[0] * shape[1] * shape[2]
  if (batch.images.length !== expected)
    throw new InvalidArgument(
      `${where}: images has ${batch.images.length} values, [${[batchSize, ...shape].join(', ')}] needs ${expected}` +
        ` (fill a short batch with any image and label −1)`,
    )
  checkLabels(batch.labels, batchSize, numClasses, `${where}: labels`)
  if ((batch.labels2 !== undefined) !== mixed || (batch.lambda !== undefined) !== mixed)
    throw new InvalidArgument(`${where}: ${mixed ? 'labels2 and lambda are missing' : 'labels2 and lambda need `mixed: true`'}`)
  if (!batch.labels2 || !batch.lambda) return
  checkLabels(batch.labels2, batchSize, numClasses, `${where}: labels2`)
  if (!(batch.lambda instanceof Float32Array) || batch.lambda.length !== batchSize || !batch.lambda.every(x => x >= 0 && x <= 1))
    throw new InvalidArgument(`${where}: lambda must be a Float32Array of ${batchSize} numbers from 0 to 1`)
}

function checkLabels(labels: Int32Array, batchSize: number, numClasses: number, where: string): void {
  if (!(labels instanceof Int32Array) || labels.length !== batchSize)
    throw new InvalidArgument(`${where} must be an Int32Array of length ${batchSize}`)
  const wrong = labels.findIndex(label => label < -1 || label >= numClasses)
  if (wrong >= 0)
    throw new InvalidArgument(
      `${where}[${wrong}] is ${labels[wrong]}; labels are 0 to ${numClasses - 1}, or −1 to ignore an image`,
    )
}
