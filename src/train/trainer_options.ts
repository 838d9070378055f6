/** What a trainer is given: defaults, and checks before anything is compiled. */
import type { ImageFileOptions } from '../data/image_files.js'
import { checkMix } from '../data/mix.js'
import { checkDisabledPasses } from '../graph/passes/optional.js'
import { checkMemory } from '../graph/passes/recompute.js'
import { checkPrecision } from '../graph/precision.js'
import { Module } from '../nn/module.js'
import { InvalidArgument } from '../runtime/errors.js'
import { checkEngineOptions, engineOptionNames, type EngineOptions } from '../runtime/policy.js'
import { constant, type Ema } from '../optim/index.js'
import { requireInteger, requireKnownOptions, requireNumber, requireSignal } from '../runtime/options.js'
import type { TrainingData } from './feeds.js'
import type { FitOptions, TrainerOptions } from './trainer.js'
import type { Loss } from './training_plan.js'

const where = 'Trainer'

/** A trainer's options with their defaults. */
export type CompleteOptions = Required<Omit<TrainerOptions, 'loss' | 'ema' | keyof EngineOptions>> &
  EngineOptions & { loss: Loss | undefined; ema: Ema | undefined }

export function withDefaults(options: TrainerOptions): CompleteOptions {
  const { seed = 0, schedule = constant(), labelSmoothing = 0, accumulate = 1, clipGradNorm = 0 } = options
  const { mixup = 0, cutmix = 0 } = options
  const { device = 'cpu', evalBatchSize = options.batchSize, disabledPasses = [], precision = 'f32', memory = 'normal' } = options
  const { loss, ema } = options
  const own = { seed, schedule, labelSmoothing, mixup, cutmix, accumulate, clipGradNorm }
  const rest = { ...own, device, evalBatchSize, disabledPasses, precision, memory }
  return { ...options, ...rest, loss, ema }
}

const written = (value: unknown): string | number =>
  typeof value === 'number' || typeof value === 'string'
    ? value
    : JSON.stringify(value, (_, inner: unknown) =>
        inner instanceof RegExp || typeof inner === 'function' ? String(inner) : inner,
      )

/** What of the options can be written down: a checkpoint keeps it, so that a training resumed with others can say so. */
export function settingsOf({ data, optimizer, ema, ...options }: CompleteOptions): Record<string, string | number> {
  const { batchSize, epochs, seed, labelSmoothing, mixup, cutmix, accumulate, clipGradNorm, precision } = options
  const flat: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(optimizer)) flat[`optimizer.${name}`] = written(value)
  const augment = 'kind' in data ? (data.kind === 'files' ? written(viewsOf(data.options)) : '') : written(data.augment)
  const numbers = { batchSize, epochs, seed, labelSmoothing, mixup, cutmix, accumulate, clipGradNorm }
  return { data: data.name, augment, ...numbers, ...flat, ema: ema?.decay ?? 0, precision }
}

/** Of the options of image files, those that do not change what is seen. */
const unseen = new Set(['workers', 'prefetch', 'maxCorrupt', 'mean', 'std'])

const viewsOf = (options: ImageFileOptions) => Object.fromEntries(Object.entries(options).filter(([name]) => !unseen.has(name)))

const known = [
  'data', 'optimizer', 'batchSize', 'epochs', 'seed', 'schedule', 'loss', 'labelSmoothing', 'mixup', 'cutmix', 'accumulate', 'clipGradNorm', 'ema', 'device',
  'evalBatchSize', 'disabledPasses', 'precision', 'memory', ...engineOptionNames,
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
    mixup = 0,
    cutmix = 0,
    accumulate,
    clipGradNorm,
    ema,
    evalBatchSize,
    disabledPasses,
    precision,
    memory,
    device = 'cpu',
  } = options
  if (typeof data !== 'object' || data === null || !('train' in data))
    throw new InvalidArgument(
      `${where}: data must come from data.open, data.imageFolder, data.imageNet, data.fromArrays or data.fromBatches`,
    )
  if (!['sgd', 'adamw'].includes(optimizer?.kind)) {
    throw new InvalidArgument(`${where}: optimizer must come from optim.sgd or optim.adamw`)
  }
  requireInteger(where, 'batchSize', batchSize)
  requireInteger(where, 'epochs', epochs)
  if (seed !== undefined) requireInteger(where, 'seed', seed, 0)
  if (accumulate !== undefined) requireInteger(where, 'accumulate', accumulate)
  if (evalBatchSize !== undefined) requireInteger(where, 'evalBatchSize', evalBatchSize)
  if (labelSmoothing !== undefined) requireNumber(where, 'labelSmoothing', labelSmoothing, 'in [0, 1)', s => s >= 0 && s < 1)
  checkMix(where, { mixup, cutmix }, batchSize)
  if (mixup + cutmix > 0 && 'kind' in data && data.kind === 'stream' && data.mixed)
    throw new InvalidArgument(`${where}: the batches of '${data.name}' are mixed already: leave out mixup and cutmix`)
  if (clipGradNorm !== undefined) requireNumber(where, 'clipGradNorm', clipGradNorm, 'above 0', norm => norm > 0)
  checkDisabledPasses(where, disabledPasses)
  if (memory !== undefined) checkMemory(where, memory, disabledPasses)
  if (precision !== undefined) checkPrecision(where, precision, device)
  checkEngineOptions(where, options)
  if (schedule !== undefined && typeof schedule !== 'function')
    throw new InvalidArgument(`${where}: schedule must be a function such as optim.cosine()`)
  if (loss !== undefined && typeof loss !== 'function')
    throw new InvalidArgument(`${where}: loss must be a function (outputs, batch) => Tensor`)
  if (ema !== undefined && ema?.kind !== 'ema') throw new InvalidArgument(`${where}: ema must come from optim.ema(decay)`)
}

export function checkFitOptions(options: FitOptions): void {
  const here = 'Trainer.fit'
  const writing = ['resume', 'checkpointSeconds', 'keepCheckpoints', 'settings'] as const
  requireKnownOptions(here, options, ['signal', 'outputDir', ...writing])
  const { signal, outputDir, resume, checkpointSeconds, keepCheckpoints } = options
  requireSignal(here, signal)
  const idle = writing.find(name => options[name] !== undefined)
  if (outputDir === undefined && idle) throw new InvalidArgument(`${here}: ${idle} has no effect without outputDir`)
  if (outputDir !== undefined && (typeof outputDir !== 'string' || outputDir === ''))
    throw new InvalidArgument(`${here}: outputDir must be the name of a folder`)
  if (resume !== undefined && typeof resume !== 'boolean' && (typeof resume !== 'string' || resume === ''))
    throw new InvalidArgument(`${here}: resume must be true, false or the folder of a checkpoint`)
  if (checkpointSeconds !== undefined)
    requireNumber(here, 'checkpointSeconds', checkpointSeconds, 'of at least 0', seconds => seconds >= 0)
  if (keepCheckpoints !== undefined) requireInteger(here, 'keepCheckpoints', keepCheckpoints)
}

/** Model and data must agree on channels and classes; one message names both. */
export function checkFit(model: unknown, data: TrainingData): void {
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
