/** saveWeights: a model's parameters and running statistics as a safetensors file. */
import type { Module } from '../nn/module.js'
import { requireKnownOptions } from '../runtime/options.js'
import { writeSafetensors } from './safetensors.js'

/** Options of `saveWeights`. */
export interface SaveWeightsOptions {
  /** Texts kept in the file's header beside `layout`: { model: 'resnet20' }. */
  metadata?: Readonly<Record<string, string>>
}

/**
 * Writes all parameters and running statistics, f32, filters as [K, R, S, C/groups] (the metadata says `layout: 'KRSC'`), for
 * loadWeights and Python's safetensors to read. A file of that name is replaced as a whole. Throws OutputError, naming the
 * file and the reason, where it cannot be written.
 */
export async function saveWeights(model: Module, file: string, options: SaveWeightsOptions = {}): Promise<void> {
  requireKnownOptions('saveWeights', options, ['metadata'])
  await writeSafetensors(file, model.stateDict(), { ...options.metadata, layout: 'KRSC' })
}
