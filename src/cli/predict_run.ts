/** What `eraserelu predict` does; loaded only when it runs. */
import { normalised } from '../data/normalise.js'
import { compile } from '../graph/session.js'
import { InvalidArgument } from '../runtime/errors.js'
import { devices } from '../runtime/devices.js'
import { requireOneOf } from '../runtime/options.js'
import { openDataSet } from './data_set.js'
import { engineOptionsGiven } from './engine_options.js'
import { printResult } from './json.js'
import { readPng } from './png.js'
import type { PredictOptions } from './predict.js'
import { openTrained, type TrainedModel } from './trained_model.js'

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
    throw new InvalidArgument(
      'predict: name the images: either PNG files, or --index with numbers of test images such as 0,3,5-9',
    )
  const unused = index ? undefined : (['dataset', 'dataPath'] as const).find(name => options[name] !== undefined)
  if (unused) throw new InvalidArgument(`predict: ${unused === 'dataset' ? '--dataset' : '--data-path'} is for --index`)
  const trained = await openTrained(path, { ema, which: last ? 'last' : 'best' })
  const images = index
    ? await fromDataSet(trained, index, options)
    : await Promise.all(files.map(async file => ({ image: file, pixels: await readPng(file, trained.metadata.input) })))
  const predictions = await classify(trained, images, options)
  printResult({ weights: trained.file, model: trained.model.modelName, predictions }, options, textOf)
}

async function fromDataSet(trained: TrainedModel, numbers: readonly number[], options: PredictOptions): Promise<Image[]> {
  const { dataset = trained.metadata.dataset, dataPath } = options
  const { test } = await openDataSet('predict', dataset, dataPath)
  const { input } = trained.metadata
  if (test.shape.join() !== input.join())
    throw new InvalidArgument(
      `predict: the images of ${dataset} are ${test.shape.join('x')}, the network takes ${input.join('x')}`,
    )
  const size = input[0] * input[1] * input[2]
  return numbers.map(number => {
    if (number >= test.size)
      throw new InvalidArgument(`predict: --index ${number}: ${dataset} has test images 0 to ${test.size - 1}`)
    const label = test.labels[number]!
    const name = test.classNames?.[label] ?? String(label)
    return { image: number, label: { class: label, name }, pixels: test.images.subarray(number * size, (number + 1) * size) }
  })
}

/** The most images of a step. */
const largestBatch = 64

async function classify(trained: TrainedModel, images: readonly Image[], options: PredictOptions): Promise<Prediction[]> {
  const { model, metadata } = trained
  const { top, device, precision = 'f32' } = options
  const batchSize = Math.min(images.length, largestBatch)
  const shape = [batchSize, ...metadata.input]
  using session = await compile(model, { inputs: { images: { shape } }, device, precision, ...engineOptionsGiven(options) })
  const predictions: Prediction[] = []
  for (let first = 0; first < images.length; first += batchSize) {
    const batch = images.slice(first, first + batchSize)
    const { output } = await session.run({ images: batchOf(batch, batchSize, trained) })
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
function batchOf(images: readonly Image[], batchSize: number, { metadata }: TrainedModel): Float32Array {
  const size = metadata.input.reduce((a, b) => a * b)
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
