/** What a training is, as far as its checkpoints are concerned, and on what machine it runs. */
import { cpus } from 'node:os'
import type { Parameter } from '../graph/parameter.js'
import { ReLU } from '../nn/layers/relu.js'
import type { Module } from '../nn/module.js'
import { addonDigest } from '../runtime/addon.js'
import { deviceInfo } from '../runtime/devices.js'
import { packageVersion } from '../runtime/package_root.js'
import type { ArenaName } from '../runtime/store.js'
import type { StoreLayout } from '../runtime/store_layout.js'
import type { CheckpointRecord } from './checkpoint.js'
import type { TrainingData } from './feeds.js'

export interface TrainingDescription {
  readonly model: Module
  readonly layout: StoreLayout<Parameter>
  readonly arenaSizes: ReadonlyMap<ArenaName, number>
  readonly stepsPerEpoch: number
  readonly data: TrainingData
  readonly device: string
  readonly settings: Readonly<Record<string, string | number>>
}

/** The names of the parameters that are not trained, as a setting. */
export function frozenParameters(model: Module): string {
  const frozen = Array.from(model.namedParameters()).filter(([, { role, trainable }]) => role !== 'statistic' && !trainable)
  return frozen.map(([path]) => path).join(' ')
}

/** The names of the erased ReLUs, as a setting. */
export function erasedReLUs(model: Module): string {
  const erased = Array.from(model.namedModules()).filter(([, module]) => module instanceof ReLU && module.erased)
  return erased.map(([path]) => path).join(' ')
}

/** What the bytes of a training depend on beside its settings. */
export function environmentOf({ device }: TrainingDescription): Record<string, string | number> {
  const { library, instructions, threads } = deviceInfo(device)
  const build = { eraserelu: packageVersion(), addon: addonDigest(), node: process.versions.node }
  const processor = cpus()[0]?.model.trim() ?? 'unknown'
  return { ...build, device, library, processor, instructions, threads }
}

/** What of the machine is otherwise than when the checkpoint was made, a sentence each. */
export const moves = (training: TrainingDescription, { environment }: CheckpointRecord): string[] =>
  movesBetween(environment, environmentOf(training)).map(
    change => `${change}: the bytes may differ from those of a training that was never interrupted`,
  )

/** Earlier checkpoints do not name the processor. */
const movesBetween = (before: Environment, now: Environment) => changes({ processor: now.processor!, ...before }, now)

/** The settings that are otherwise than when the checkpoint was made: 'epochs was 3, is 4'. */
export const changedSettings = (training: TrainingDescription, { settings }: CheckpointRecord): string[] =>
  // Checkpoints that were written before there were other precisions do not name theirs.
  changes({ precision: 'f32', ...settings }, training.settings)

type Environment = Readonly<Record<string, string | number>>

function changes(before: Environment, now: Environment): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  return [...names]
    .filter(name => before[name] !== now[name])
    .map(name => `${name} was ${show(before[name])}, is ${show(now[name])}`)
}

function show(value: string | number = ''): string {
  const text = String(value)
  return text === '' ? 'none' : text.length > 60 ? `${text.slice(0, 59)}…` : text
}
