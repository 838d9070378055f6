/**
 * Where each parameter lies in the store's flat arenas: trained ones first (the range that gradients and optimizers cover),
 * then frozen ones and running statistics. Offsets and sizes count f32 elements.
 */
import { Internal } from './errors.js'

/** What the layout needs to know of a parameter. */
export interface Entry {
  readonly name: string
  readonly size: number
  readonly trainable: boolean
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
    const all = [...parameters]
    this.trained = all.filter(p => p.trainable)
    this.entries = [...this.trained, ...all.filter(p => !p.trainable)]
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
}
