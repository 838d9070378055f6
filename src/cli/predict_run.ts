/** What `eraserelu predict` does; loaded only when it runs. */
import { resolve } from 'node:path'
import { normalised } from '../data/normalise.js'
import { compile } from '../graph/session.js'
import { InvalidArgument } from '../runtime/errors.js'
import { devices } from '../runtime/devices.js'
import { requireOneOf } from '../runtime/options.js'
import type { ImageShape } from '../data/index.js'
import { checkedImageFileOptions } from '../data/image_files.js'
import { takenPrecision } from './auto_precision.js'
import { centreCrops, imagesIn } from './centre_crops.js'
import { engineOptionsGiven } from './engine_options.js'
import { printResult } from './json.js'
import { readPng } from './png.js'
import type { PredictOptions } from './predict.js'
import { lookKeys } from './look_options.js'
import { dataFor, lookOf } from './trained_data.js'
import { openTrained, type TrainedModel } from './trained_model.js'
import { givenSettings } from './train_settings.js'

interface Class {
  readonly class: number
  readonly name: string
}

/** An image to look at. */
interface Image {
  /** The file, or the number in the data set. */
  readonly image: string | number
  readonly label?: Class
  /** [height, width, channels] */
  readonly pixels: Uint8Array
}

interface Prediction extends Pick<Image, 'image' | 'label'> {
  /** The likeliest, best first. */
  readonly classes: readonly (Class & { readonly probability: number })[]
}

/** What `--json` prints. */
export interface Predictions {
  /** The weights file. */
  readonly weights: string
  readonly model: string
  readonly predictions: readonly Prediction[]
}

export async function predict(path: string, files: readonly string[], options: PredictOptions): Promise<void> {
  const { ema, last, index, device } = options
  requireOneOf('predict', '--device', device, devices())
  if (files.length > 0 === (index !== undefined))
    throw new InvalidArgument('predict: name the images: either files, or --index with numbers of test images such as 0,3,5-9')
  const unused = index ? undefined : (['dataset', 'dataPath'] as const).find(name => options[name] !== undefined)
  if (unused) throw new InvalidArgument(`predict: ${unused === 'dataset' ? '--dataset' : '--data-path'} is for --index`)
  const trained = await openTrained(path, { ema, which: last ? 'last' : 'best' })
  const { shape, images } = index ? await fromDataSet(trained, index, options) : await fromFiles(trained, files, options)
  const predictions = await classify(trained, shape, images, options)
  printResult({ weights: trained.file, model: trained.model.modelName, predictions }, options, textOf)
}

/** Images, all of a shape. */
interface Images {
  readonly shape: ImageShape
  readonly images: readonly Image[]
}

async function fromFiles(trained: TrainedModel, paths: readonly string[], options: PredictOptions): Promise<Images> {
  const { input, val_crop_size: crop } = trained.metadata
  const files = await imagesIn(paths)
  if (crop === undefined) {
    const images = files.map(async file => ({ image: file, pixels: await readPng(file, input) }))
    return { shape: input, images: await Promise.all(images) }
  }
  const look = checkedImageFileOptions('predict', lookOf(trained, givenSettings(lookKeys, options)))
  const set = { root: '', names: files.map(file => resolve(file).slice(1)), labels: new Int32Array(files.length) }
  const crops = await centreCrops(set, look, [...files.keys()])
  return { shape: squareOf(look), images: files.map((file, i) => ({ image: file, pixels: crops[i]! })) }
}

const squareOf = ({ valCropSize: side }: { valCropSize: number }): ImageShape => [side, side, 3]

async function fromDataSet(trained: TrainedModel, numbers: readonly number[], options: PredictOptions): Promise<Images> {
  const data = await dataFor('predict', trained, options, options)
  const { input } = trained.metadata
  const size = 'kind' in data ? (data.test?.names.length ?? 0) : data.test.size
  const wrong = numbers.find(number => number >= size)
  if (wrong !== undefined)
    throw new InvalidArgument(
      `predict: --index ${wrong}: ${data.name} has ${size === 0 ? 'no test images' : `test images 0 to ${size - 1}`}`,
    )
  const shape = 'kind' in data ? data.testShape : data.test.shape
  if (shape[2] !== input[2] || (!('kind' in data) && shape.join() !== input.join()))
    throw new InvalidArgument(`predict: the images of ${data.name} are ${shape.join('x')}, the network takes ${input.join('x')}`)
  const labelled = (number: number, label: number, names: readonly string[] | undefined, pixels: Uint8Array): Image => ({
    image: number,
    label: { class: label, name: names?.[label] ?? String(label) },
    pixels,
  })
  if ('kind' in data) {
    const crops = await centreCrops(data.test!, data.options, numbers)
    return { shape, images: numbers.map((n, i) => labelled(n, data.test!.labels[n]!, data.classNames, crops[i]!)) }
  }
  const { images, labels, classNames } = data.test
  const bytes = shape[0] * shape[1] * shape[2]
  const pixelsOf = (number: number) => images.subarray(number * bytes, (number + 1) * bytes)
  return { shape, images: numbers.map(n => labelled(n, labels[n]!, classNames, pixelsOf(n))) }
}

/** The most images of a step. */
const largestBatch = 64

async function classify(
  trained: TrainedModel,
  size: ImageShape,
  images: readonly Image[],
  options: PredictOptions,
): Promise<Prediction[]> {
  const { model } = trained
  const { top, device } = options
  const precision = await takenPrecision('predict', { precision: options.precision ?? 'f32', device })
  const batchSize = Math.min(images.length, largestBatch)
  const shape = [batchSize, ...size]
  using session = await compile(model, { inputs: { images: { shape } }, device, precision, ...engineOptionsGiven(options) })
  const predictions: Prediction[] = []
  for (let first = 0; first < images.length; first += batchSize) {
    const batch = images.slice(first, first + batchSize)
    const { output } = await session.run({ images: batchOf(batch, batchSize, size, trained) })
    const logits = output!.data as Float32Array
    batch.forEach(({ image, label }, n) => {
      const probabilities = softmax(logits.subarray(n * model.numClasses, (n + 1) * model.numClasses))
      if (probabilities.some(Number.isNaN))
        throw new InvalidArgument(
          `${trained.file}: the outputs for ${image} are not finite: its weights are damaged or had diverged`,
        )
      const best = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]!).slice(0, top)
      const classes = best.map(each => ({ class: each, name: trained.className(each), probability: probabilities[each]! }))
      predictions.push({ image, ...(label && { label }), classes })
    })
  }
  return predictions
}

/** The pixels of a batch as the network takes them; what is missing of it stays 0. */
function batchOf(images: readonly Image[], batchSize: number, shape: ImageShape, { metadata }: TrainedModel): Float32Array {
  const size = shape.reduce((a, b) => a * b)
  const values = new Float32Array(batchSize * size)
  images.forEach(({ pixels }, n) => normalised(pixels, metadata, values.subarray(n * size)))
  return values
}

function softmax(logits: Float32Array): number[] {
  const largest = logits.reduce((a, b) => Math.max(a, b))
  const powers = Array.from(logits, logit => Math.exp(logit - largest))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map(power => power / sum)
}

function textOf({ predictions }: Predictions): string {
  return predictions
    .map(({ image, label, classes }) => {
      const seen = classes.map(({ name, probability }) => `${name} ${(100 * probability).toFixed(1)} %`).join(', ')
      return label ? `test image ${image} (${label.name}): ${seen}` : `${image}: ${seen}`
    })
    .join('\n')
}
