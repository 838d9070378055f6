/** saveWeights: a model's parameters and running statistics as a safetensors file. */
import type { Module } from '../nn/module.js'
import { requireKnownOptions, requireOneOf } from '../runtime/options.js'
import { toKCRS, type FilterLayout } from './filter_layout.js'
import { writeSafetensors } from './safetensors.js'

/** Options of `saveWeights`. */
export interface SaveWeightsOptions {
  /** Texts kept in the file's header beside `layout`: { model: 'resnet20' }. */
  metadata?: Readonly<Record<string, string>>
  /** How filters lie in the file; default 'KRSC'. With 'KCRS' PyTorch can load it. */
  layout?: FilterLayout
}

/**
 * Writes all parameters and running statistics, f32, for loadWeights and Python's safetensors to read: filters as
 * [K, R, S, C/groups], or with `layout: 'KCRS'` as in PyTorch, for `load_state_dict`; the metadata say which under `layout`. A file of that name is replaced as a whole. Throws OutputError, naming the
 * file and the reason, where it cannot be written.
 */
export async function saveWeights(model: Module, file: string, options: SaveWeightsOptions = {}): Promise<void> {
  requireKnownOptions('saveWeights', options, ['metadata', 'layout'])
  const { metadata, layout = 'KRSC' } = options
  requireOneOf('saveWeights', 'layout', layout, ['KRSC', 'KCRS'])
  const parameters = Array.from(model.stateDict())
  const tensors = layout === 'KRSC' ? parameters : parameters.map(([name, each]) => [name, toKCRS(each)] as const)
  await writeSafetensors(file, tensors, { ...metadata, layout })
}
