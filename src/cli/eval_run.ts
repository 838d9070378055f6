/** What `eraserelu eval` does; loaded only when it runs. `train --test-only` measures with the same. */
import type { DataSource, ImageFileSource } from '../data/index.js'
import type { Classifier } from '../models/index.js'
import { devices } from '../runtime/devices.js'
import { requireOneOf } from '../runtime/options.js'
import { evaluate, type EvaluateModelOptions } from '../train/evaluate.js'
import { takenPrecision } from './auto_precision.js'
import { engineOptionsGiven } from './engine_options.js'
import type { EvalOptions } from './eval.js'
import { printResult } from './json.js'
import { dataFor } from './trained_data.js'
import { openTrained } from './trained_model.js'

/** What `--json` prints. */
export interface Measured {
  /** The weights file. */
  readonly weights: string
  /** Whether it holds a moving average of the weights. */
  readonly averaged: boolean
  readonly model: string
  readonly dataset: string
  readonly images: number
  readonly loss: number
  /** Share of images whose class was right, and was among the first five; 0 to 1. */
  readonly top1: number | undefined
  readonly top5: number | undefined
}

export async function evaluateWeights(path: string, options: EvalOptions): Promise<void> {
  const { ema, last, device, batchSize } = options
  requireOneOf('eval', '--device', device, devices())
  const precision = await takenPrecision('eval', { precision: options.precision ?? 'f32', device })
  const trained = await openTrained(path, { ema, which: last ? 'last' : 'best' })
  const data = await dataFor('eval', trained, options, options)
  const how = { batchSize, device, precision, ...engineOptionsGiven(options) }
  printResult(await measure(trained, data, how), options, measuredText)
}

/** Measures a model on the test images. */
export async function measure(
  { model, file, averaged }: { model: Classifier; file: string; averaged: boolean },
  data: DataSource | ImageFileSource,
  options: EvaluateModelOptions,
): Promise<Measured> {
  const { count: images, loss, accuracy: top1, accuracy5: top5 } = await evaluate(model, data, options)
  return { weights: file, averaged, model: model.modelName, dataset: data.name, images, loss, top1, top5 }
}

export function measuredText({ weights, averaged, model, dataset, images, loss, top1, top5 }: Measured): string {
  const percent = (share: number | undefined) => (share === undefined ? '-' : `${(100 * share).toFixed(2)} %`)
  return [
    `${model}, ${weights}${averaged ? ' (moving average)' : ''}`,
    `${dataset}: ${images} test images`,
    `loss ${loss.toFixed(4)}, top-1 accuracy ${percent(top1)}, top-5 accuracy ${percent(top5)}`,
  ].join('\n')
}
