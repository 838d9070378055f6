/**
 * Where each parameter lies in the store's flat arenas: trained ones first (the range that gradients and optimizers cover),
 * then frozen ones and running statistics. Of both, weights come before everything else: those of one type of gradient, and
 * those that a plan copies to 16 bits, are then one stretch. Weights whose size is a multiple of 8 come first of all, so that
 * each of them begins where a GPU can load 16 bytes at once. Offsets and sizes count elements.
 */
import { Internal } from './errors.js'

/** What the layout needs to know of a parameter. */
export interface Entry {
  readonly name: string
  readonly size: number
  readonly trainable: boolean
  readonly role: 'weight' | 'bias' | 'norm' | 'statistic'
}

const isWeight = ({ role }: Entry) => role === 'weight'
const isAligned = ({ size }: Entry) => size % 8 === 0

/** The entries for which the test holds, then the others; both in their order. */
function partition<P>(entries: readonly P[], test: (entry: P) => boolean): P[] {
  return [...entries.filter(test), ...entries.filter(entry => !test(entry))]
}

/** A stretch of parameters that lie one behind the other. */
export interface Run<P> {
  readonly offset: number
  readonly size: number
  readonly parameters: readonly P[]
}

export class StoreLayout<P extends Entry = Entry> {
  /** In the order of the arena. */
  readonly entries: readonly P[]
  /** Those that were trainable when the layout was made. */
  readonly trained: readonly P[]
  /** Elements of the trained part. */
  readonly trainedSize: number
  /** Elements of all parameters. */
  readonly size: number
  private readonly offsets = new Map<P, number>()

  constructor(parameters: Iterable<P>) {
    const ordered = partition(partition([...parameters], isAligned), isWeight)
    this.trained = ordered.filter(p => p.trainable)
    this.entries = [...this.trained, ...ordered.filter(p => !p.trainable)]
    let at = 0
    for (const entry of this.entries) {
      this.offsets.set(entry, at)
      at += entry.size
    }
    this.size = at
    this.trainedSize = this.trained.reduce((sum, { size }) => sum + size, 0)
  }

  offsetOf(parameter: P): number {
    const offset = this.offsets.get(parameter)
    if (offset === undefined) throw new Internal(`${parameter.name} is not in the store`)
    return offset
  }

  /** The longest stretches of the arena whose parameters have the same key; those with the key undefined are left out. */
  runs<K>(keyOf: (parameter: P) => K | undefined): (Run<P> & { readonly key: K })[] {
    const runs: { key: K; offset: number; size: number; parameters: P[] }[] = []
    let last: (typeof runs)[number] | undefined
    for (const parameter of this.entries) {
      const key = keyOf(parameter)
      if (key === undefined) {
        last = undefined
        continue
      }
      if (last?.key !== key) runs.push((last = { key, offset: this.offsetOf(parameter), size: 0, parameters: [] }))
      last.parameters.push(parameter)
      last.size += parameter.size
    }
    return runs
  }
}
