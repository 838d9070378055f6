/** What memory 'low' gives and costs: a training step beside the same step with memory 'normal'. Counted as docs/accounting.md says. */
import { costsOf } from '../graph/cost.js'
import { livePeak } from '../graph/live_peak.js'
import type { PlanDesc } from '../runtime/plan_desc.js'

/** Bytes are of a training step as planned; of microbatches, one. */
export interface LowMemory {
  /** Bytes of activations and gradients that are alive at once. */
  readonly alive: number
  /** The same with memory 'normal'. */
  readonly aliveNormally: number
  /** Operations that are executed twice for each microbatch. */
  readonly operations: number
  /** Bytes that they read and write the second time. */
  readonly bytes: number
  /** Bytes that a step with one microbatch reads and writes with memory 'normal'. */
  readonly bytesNormally: number
}

export function compareMemory(low: PlanDesc, normal: PlanDesc): LowMemory {
  const bytesOf = (desc: PlanDesc) => costsOf(desc).reduce((sum, { bytes }) => sum + bytes, 0)
  const bytesNormally = bytesOf(normal)
  return {
    alive: livePeak(low),
    aliveNormally: livePeak(normal),
    operations: low.nodes.length - normal.nodes.length,
    bytes: bytesOf(low) - bytesNormally,
    bytesNormally,
  }
}

/** One line for people. */
export function lowMemoryText({ alive, aliveNormally, operations, bytes, bytesNormally }: LowMemory): string {
  const share = Math.round((100 * (aliveNormally - alive)) / aliveNormally)
  const less = share > 0 ? `${share} % less` : 'no less'
  const more = ((100 * bytes) / bytesNormally).toFixed(1)
  return (
    `Memory 'low': activations and gradients take ${megabytes(alive)} at once instead of ${megabytes(aliveNormally)} (${less}), ` +
    `for ${operations} operations more, which read and write ${megabytes(bytes)} (${more} % more).`
  )
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
