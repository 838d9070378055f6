/** The model that the command line asks for, with its ReLUs erased. */
import { eraseReLU } from '../erase.js'
import { create, type Classifier } from '../models/index.js'
import { ReLU } from '../nn/index.js'
import { eraseOptionsOf } from './erase_options.js'
import { modelKeys, type ModelFlags } from './model_options.js'
import { defaults, givenSettings } from './train_settings.js'

export function modelOf(name: string, flags: ModelFlags): Classifier {
  const { numClasses, inChannels } = flags
  const settings = { ...defaults, ...givenSettings(modelKeys, flags) }
  const model = create(name, {
    ...settings['model-kwargs'],
    ...(numClasses !== undefined && { numClasses }),
    ...(inChannels !== undefined && { inChannels }),
  })
  const erase = eraseOptionsOf(settings)
  if (erase) eraseReLU(model, erase)
  return model
}

/** Every ReLU of the model by its path: 'kept' or 'erased'. */
export function relusOf(model: Classifier): Map<string, 'kept' | 'erased'> {
  const relus = new Map<string, 'kept' | 'erased'>()
  for (const [path, module] of model.namedModules())
    if (module instanceof ReLU) relus.set(path, module.erased ? 'erased' : 'kept')
  return relus
}

export interface ReluCounts {
  readonly total: number
  readonly kept: number
  readonly erased: number
}

export function reluCounts(model: Classifier): ReluCounts {
  const all = [...relusOf(model).values()]
  const erased = all.filter(state => state === 'erased').length
  return { total: all.length, kept: all.length - erased, erased }
}
