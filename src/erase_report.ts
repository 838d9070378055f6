/** What eraseReLU did: every ReLU of the model, erased or kept, and why. */
import type { EraseRule } from './erase.js'

/** One ReLU of the model. */
export interface EraseEntry {
  /** The path of the ReLU: 'layer1.0.relu2'. */
  readonly name: string
  /** The path of its basic module; empty when it lies outside any. */
  readonly module: string
  /** Whether it is the identity now. */
  readonly erased: boolean
  /** Why it is erased or kept, in a few words. */
  readonly reason: string
}

/** Numbers of ReLUs of a model. */
export interface ReLUCounts {
  /** All of them. */
  readonly total: number
  /** Those that are the identity. */
  readonly erased: number
  /** The others. */
  readonly kept: number
}

/** What `eraseReLU` did. `toString()` is a summary and a table. */
export class EraseReport {
  /** Numbers of ReLUs. */
  readonly counts: ReLUCounts

  constructor(
    /** The options, defaults filled in. */
    readonly rule: EraseRule,
    /** Number of basic modules. */
    readonly modules: number,
    /** The numbers of the treated modules, from 0. */
    readonly treated: readonly number[],
    /** Every ReLU, in the order of the model. */
    readonly entries: readonly EraseEntry[],
  ) {
    const total = entries.length
    const erased = entries.filter(entry => entry.erased).length
    this.counts = { total, erased, kept: total - erased }
  }

  /** A summary and a table with one line a ReLU. */
  toString(): string {
    const { location, proportion, select, keepFinal } = this.rule
    const { total, erased, kept } = this.counts
    const rule = [
      `location ${location}`,
      `proportion ${proportion}`,
      `select ${select}`,
      ...(keepFinal ? ['keepFinal'] : []),
    ].join(', ')
    const width = Math.max(...this.entries.map(({ name }) => name.length))
    const rows = this.entries.map(
      ({ name, erased, reason }) => `  ${name.padEnd(width)}  ${erased ? 'erased' : 'kept  '}  ${reason}`,
    )
    return [
      `EraseReLU: ${erased} of ${total} ReLUs erased, ${kept} kept; ${this.treated.length} of ${this.modules} basic modules treated (${rule})`,
      ...rows,
    ].join('\n')
  }
}
