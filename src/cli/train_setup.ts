/** From the settings of a training to the model and the options of its Trainer. */
import { checkedAugment } from '../data/dataset.js'
import type { DataSource, ImageFileSource } from '../data/index.js'
import { thinned } from '../data/thin.js'
import { devices, eraseReLU, models, optim, type TrainerOptions } from '../index.js'
import { build } from '../models/registry.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'
import { engineOptionsOf } from './engine_options.js'
import { eraseOptionsOf } from './erase_options.js'
import type { CompleteSettings, Settings } from './train_settings.js'
import { checkTrainingData, openTrainingData } from './training_data.js'

const command = 'train'

/** Wrong names end the command before data are looked for or anything is written. */
export function checkNames(settings: CompleteSettings): void {
  const { model, device, 'model-kwargs': kwargs } = settings
  requireOneOf(command, '--device', device, devices())
  checkTrainingData(command, settings)
  eraseOptionsOf(settings)
  const fixed = ['numClasses', 'inChannels', 'seed'].find(name => name in kwargs)
  if (fixed !== undefined)
    throw new InvalidArgument(
      `${command}: --model-kwargs ${fixed}: ${fixed === 'seed' ? 'use --seed' : 'that is given by the data set'}`,
    )
  build(model, kwargs)
  optimizerOf(settings)
  scheduleOf(settings)
}

/** The images that are trained on, and all test images. */
export async function trainingDataOf(settings: Settings): Promise<DataSource | ImageFileSource> {
  const whole = await openTrainingData(command, settings)
  return thinned('kind' in whole ? whole : prepared(whole, settings), { train: settings['train-images'] })
}

/** The model with its initial weights, its ReLUs erased. */
export function modelOf(settings: Settings, data: DataSource | ImageFileSource): models.Classifier {
  const { numClasses, shape } = 'kind' in data ? data : data.train
  const { model: name, 'model-kwargs': kwargs, seed } = settings
  const model = models.create(name, { ...kwargs, numClasses, inChannels: shape[2], seed })
  const erase = eraseOptionsOf(settings)
  if (erase) eraseReLU(model, erase)
  return model
}

/** The data with the augmentation and normalisation of the settings, where they differ from the data set's own. */
export function prepared(source: DataSource, settings: Settings): DataSource {
  const { 'crop-padding': pad = source.augment.pad, 'padding-mode': padMode = source.augment.padMode } = settings
  const { flip = source.augment.flip, cutout = source.augment.cutout } = settings
  const { 'random-erasing': randomErasing = source.augment.randomErasing } = settings
  const augment = checkedAugment({ pad, padMode, flip, cutout, randomErasing }, source.train.shape)
  if (settings.normalize === 'mean-std') return { ...source, augment }
  return { ...source, augment, mean: source.mean.map(() => 0), std: source.std.map(() => 1) }
}

export function trainerOptionsOf(settings: CompleteSettings, source: DataSource | ImageFileSource): TrainerOptions {
  const { epochs, seed, device, accumulate, 'clip-grad-norm': clipGradNorm, 'eval-batch-size': evalBatchSize } = settings
  return {
    data: source,
    batchSize: settings['batch-size'],
    epochs,
    seed,
    device,
    precision: settings.precision,
    memory: settings.memory,
    ...engineOptionsOf(settings),
    optimizer: optimizerOf(settings),
    schedule: scheduleOf(settings),
    labelSmoothing: settings['label-smoothing'],
    mixup: settings.mixup,
    cutmix: settings.cutmix,
    accumulate,
    ...(clipGradNorm !== undefined && { clipGradNorm }),
    ...(evalBatchSize !== undefined && { evalBatchSize }),
    ...(settings['model-ema'] && { ema: optim.ema(settings['model-ema-decay']) }),
  }
}

function optimizerOf(settings: CompleteSettings): optim.Optimizer {
  const { opt, lr, momentum, 'weight-decay': weightDecay } = settings
  const { 'norm-weight-decay': normWeightDecay = weightDecay, 'bias-weight-decay': biasWeightDecay = weightDecay } = settings
  const common = { lr, weightDecay, normWeightDecay, biasWeightDecay }
  if (opt === 'adamw') return optim.adamw(common)
  const nesterov = opt === 'sgd_nesterov'
  if (nesterov && momentum === 0)
    throw new InvalidArgument(`${command}: --opt sgd_nesterov needs a --momentum above 0; --opt sgd works without`)
  return optim.sgd({ ...common, momentum, nesterov })
}

function scheduleOf(settings: CompleteSettings): optim.Schedule {
  const main = schedules[settings['lr-scheduler']](settings)
  const { 'lr-warmup-epochs': epochs, 'lr-warmup-method': mode, 'lr-warmup-decay': start } = settings
  return epochs === 0 ? main : optim.warmup(epochs, main, { start, mode })
}

const schedules: Record<Settings['lr-scheduler'], (settings: CompleteSettings) => optim.Schedule> = {
  constant: () => optim.constant(),
  steplr: settings => optim.step(settings['lr-step-size'], settings['lr-gamma']),
  multisteplr: ({ 'lr-milestones': milestones, 'lr-gamma': gamma }) => {
    if (!milestones) throw new InvalidArgument(`${command}: --lr-scheduler multisteplr needs --lr-milestones, such as 82,123`)
    return optim.multiStep(milestones, gamma)
  },
  cosineannealinglr: ({ lr, 'lr-min': lowest }) => {
    if (lowest > lr) throw new InvalidArgument(`${command}: --lr-min ${lowest} is above --lr ${lr}`)
    return optim.cosine({ end: lowest / lr })
  },
  exponentiallr: settings => optim.exponential(settings['lr-gamma']),
  polylr: settings => optim.poly(settings['lr-power']),
}
