/** Checks of what a trainer is given, before anything is compiled. */
import type { BatchStream } from '../data/batch_stream.js'
import type { DataSource } from '../data/dataset.js'
import { Module } from '../nn/module.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireNumber } from '../runtime/options.js'
import type { TrainerOptions } from './trainer.js'

const where = 'Trainer'

const known = [
  'data', 'optimizer', 'batchSize', 'epochs', 'seed', 'schedule', 'loss', 'labelSmoothing', 'accumulate', 'clipGradNorm', 'ema', 'device',
  'evalBatchSize', 'tiled',
] // prettier-ignore

export function checkOptions(options: TrainerOptions): void {
  requireKnownOptions(where, options, known)
  const {
    data,
    optimizer,
    batchSize,
    epochs,
    seed,
    schedule,
    loss,
    labelSmoothing,
    accumulate,
    clipGradNorm,
    ema,
    evalBatchSize,
    tiled,
  } = options
  if (typeof data !== 'object' || data === null || !('train' in data))
    throw new InvalidArgument(`${where}: data must come from data.open, data.fromArrays or data.fromBatches`)
  if (!['sgd', 'adamw'].includes(optimizer?.kind)) {
    throw new InvalidArgument(`${where}: optimizer must come from optim.sgd or optim.adamw`)
  }
  requireInteger(where, 'batchSize', batchSize)
  requireInteger(where, 'epochs', epochs)
  if (seed !== undefined) requireInteger(where, 'seed', seed, 0)
  if (accumulate !== undefined) requireInteger(where, 'accumulate', accumulate)
  if (evalBatchSize !== undefined) requireInteger(where, 'evalBatchSize', evalBatchSize)
  if (labelSmoothing !== undefined) requireNumber(where, 'labelSmoothing', labelSmoothing, 'in [0, 1)', s => s >= 0 && s < 1)
  if (clipGradNorm !== undefined) requireNumber(where, 'clipGradNorm', clipGradNorm, 'above 0', norm => norm > 0)
  if (tiled !== undefined) requireBoolean(where, 'tiled', tiled)
  if (schedule !== undefined && typeof schedule !== 'function')
    throw new InvalidArgument(`${where}: schedule must be a function such as optim.cosine()`)
  if (loss !== undefined && typeof loss !== 'function')
    throw new InvalidArgument(`${where}: loss must be a function (outputs, batch) => Tensor`)
  if (ema !== undefined && ema?.kind !== 'ema') throw new InvalidArgument(`${where}: ema must come from optim.ema(decay)`)
}

/** Model and data must agree on channels and classes; one message names both. */
export function checkFit(model: unknown, data: DataSource | BatchStream): void {
  if (!(model instanceof Module))
    throw new InvalidArgument(
      `${where}: the model must be a Module: one from models.create(), or a class of your own that extends Module`,
    )
  const { shape, numClasses } = 'kind' in data ? data : data.train
  const {
    modelName,
    inChannels,
    numClasses: modelClasses,
  } = model as Module & Partial<Record<'modelName' | 'inChannels' | 'numClasses', unknown>>
  if (typeof inChannels !== 'number' || typeof modelClasses !== 'number') return
  const wrong: string[] = []
  if (inChannels !== shape[2]) wrong.push(`the model takes ${inChannels} channels, the images have ${shape[2]}`)
  if (modelClasses !== numClasses) wrong.push(`the model has ${modelClasses} classes, the data ${numClasses}`)
  if (wrong.length === 0) return
  throw new InvalidArgument(
    `${String(modelName)} does not fit the data '${data.name}': ${wrong.join('; ')}. ` +
      `Use models.create('${String(modelName)}', { inChannels: ${shape[2]}, numClasses: ${numClasses} }).`,
  )
}
