/** The store: owner of the canonical parameters and of all training state, on one device. */
import { addon, native, type NativeStore } from './addon.js'
import { Disposed, fromNative } from './errors.js'
import { didYouMean } from './suggest.js'
import { InvalidArgument, Unsupported } from './errors.js'

/** `weights`, their moving average, the optimizer's arenas, and the update state. */
export type ArenaName = 'weights' | 'ema' | 'velocity' | 'm' | 'v' | 'state'

/** Indices into the `state` arena; the same as in native/plan/step_params.h. */
export const state = {
  finite: 0, scale: 1, norm: 2, updates: 3, skipped: 4, lossScale: 5, goodSteps: 6, skippedInARow: 7, growthInterval: 8, size: 16,
} as const // prettier-ignore

export class Store {
  private handle: NativeStore | undefined
  private readonly sizes = new Map<ArenaName, number>()

  private constructor(readonly device: string) {
    this.handle = native(({ NativeStore }) => new NativeStore(device))
  }

  /** Makes a store with these flat arenas of f32 elements, all zero. */
  static async create(device: string, arenas: Partial<Record<ArenaName, number>>): Promise<Store> {
    const store = new Store(checkDevice(device))
    try {
      for (const [name, elements] of Object.entries(arenas) as [ArenaName, number][]) {
        await store.call(handle => handle.define(name, elements))
        store.sizes.set(name, elements)
      }
      return store
    } catch (error) {
      store.dispose()
      throw error
    }
  }

  /** Elements of an arena; 0 if the store has none of that name. */
  sizeOf(arena: ArenaName): number {
    return this.sizes.get(arena) ?? 0
  }

  /** The names of its arenas. */
  get arenas(): ArenaName[] {
    return [...this.sizes.keys()]
  }

  /** Bytes of all arenas. */
  get bytes(): number {
    return [...this.sizes.values()].reduce((sum, elements) => sum + elements * 4, 0)
  }

  async read(arena: ArenaName, offset = 0, count = this.sizeOf(arena) - offset): Promise<Float32Array> {
    const values = new Float32Array(count)
    await this.readInto(arena, offset, values)
    return values
  }

  /** Fills an array, which nobody should look at before the promise settles. What is asked for at once is of the same step. */
  async readInto(arena: ArenaName, offset: number, values: Float32Array): Promise<void> {
    await this.call(handle => handle.read(arena, offset, values))
  }

  /** The values must stay as they are until the promise settles. */
  async write(arena: ArenaName, offset: number, values: Float32Array): Promise<void> {
    await this.call(handle => handle.write(arena, offset, values))
  }

  /** For plan.ts: the native object. */
  get native(): NativeStore {
    if (!this.handle) throw new Disposed('the store was disposed')
    return this.handle
  }

  dispose(): void {
    this.handle?.dispose()
    this.handle = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  private async call<T>(body: (handle: NativeStore) => Promise<T>): Promise<T> {
    try {
      return await body(this.native)
    } catch (error) {
      throw fromNative(error)
    }
  }
}

/**
 * Returns the name if the device can be used. Throws InvalidArgument, with the names there are, for one that is no device, and
 * Unsupported for a GPU that does not work here.
 */
export function checkDevice(device: string): string {
  if (!/^(cpu|reference|cuda(:[1-9]\d{0,2})?)$/.test(device)) {
    const devices = addon().devices()
    throw new InvalidArgument(
      `there is no device '${device}' in this build: use ${devices.join(' or ')}.${didYouMean(device, devices)}`,
    )
  }
  const problem = addon().deviceProblem(device)
  if (problem !== '') throw new Unsupported(`device '${device}' does not work here: ${problem}`)
  return device
}
