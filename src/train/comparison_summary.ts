/** What a comparison measured: the content of summary.json, of the report and of the final table. */
import { availableParallelism, cpus } from 'node:os'
import { packageVersion } from '../runtime/package_root.js'
import { deviceInfo } from '../runtime/devices.js'
import type { EpochEvent } from './events.js'

/** One of the two networks and its training. */
export interface ArmSummary {
  /** The name of its run folder. */
  readonly folder: 'baseline' | 'erased'
  /** 'last ReLU erased' */
  readonly name: string
  readonly relus: { readonly total: number; readonly kept: number; readonly erased: number }
  /** A digest of all weights before the first step. */
  readonly initialWeights: string
  /** Memory of plans and parameters, as planned before training. */
  plannedBytes: number | undefined
  /** All of it: compiling, training and evaluating. */
  seconds: number
  /** Training alone, over all completed epochs. */
  imagesPerSecond: number | undefined
  readonly epochs: Omit<EpochEvent, 'type' | 'epochs' | 'dataSeconds'>[]
}

export interface Summary {
  /** The command that wrote it, and its arguments. */
  readonly command: string
  readonly commandLine: string
  status: 'running' | 'completed' | 'stopped early' | 'failed'
  /** Of what was stopped early or failed. */
  reason?: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly dataset: { readonly name: string; readonly train: number; readonly test: number }
  /** Trainable ones, of each arm. */
  readonly parameters: number
  readonly arms: readonly ArmSummary[]
  /** The most memory the process ever held, both arms and Node.js included. */
  peakProcessBytes: number
  seconds: number
  readonly versions: { readonly eraserelu: string; readonly node: string; readonly library: string }
  readonly machine: { readonly cpu: string; readonly cores: number; readonly instructions: string; readonly threads: number }
}

export function environmentOf(device: string): Pick<Summary, 'versions' | 'machine'> {
  const { library, instructions, threads } = deviceInfo(device)
  return {
    versions: { eraserelu: packageVersion(), node: process.versions.node, library },
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism(), instructions, threads },
  }
}

/** Images a second of training, all epochs together. */
export function speedOf(epochs: ArmSummary['epochs']): number | undefined {
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0)
  const images = epochs.reduce((sum, epoch) => sum + epoch.seconds * epoch.imagesPerSecond, 0)
  return seconds > 0 ? images / seconds : undefined
}
