/** Takes the batches of a step from a feed and stages them, so that they are on the device when the step before has ended. */
import type { HostArrays } from '../runtime/plan.js'

interface FeedBatch {
  readonly arrays: HostArrays
  readonly count: number
}

/** A step as `stage` has made it; `count`: how many real images it has. */
export interface LoadedStep<Staged> {
  readonly staged: Staged
  readonly count: number
}

export class StepLoader<Staged> {
  private readonly batches: AsyncIterator<FeedBatch, unknown>
  private loading: Promise<LoadedStep<Staged> | undefined> | undefined
  private idle = true

  constructor(
    batches: AsyncIterable<FeedBatch>,
    /** Begins to bring the batches of a step to the device. */
    private readonly stage: (microbatches: readonly HostArrays[]) => Staged,
    /** Microbatches a step. */
    private readonly accumulate = 1,
  ) {
    this.batches = batches[Symbol.asyncIterator]()
  }

  /** Begins to load the next step, if that has not been done. What goes wrong is thrown by `next`. */
  begin(): void {
    if (this.loading) return
    this.loading = this.load()
    this.loading.catch(() => undefined)
  }

  /** The next step; undefined when the feed has ended before it was complete. */
  async next(): Promise<LoadedStep<Staged> | undefined> {
    this.begin()
    const loaded = await this.loading
    this.loading = undefined
    return loaded
  }

  /** Ends the feed. One that is still working on a batch is told so, but not waited for. */
  async close(): Promise<void> {
    const end = this.batches.return?.()
    if (this.idle) await end
    else end?.catch(() => undefined)
  }

  private async load(): Promise<LoadedStep<Staged> | undefined> {
    const microbatches: HostArrays[] = []
    let count = 0
    this.idle = false
    try {
      while (microbatches.length < this.accumulate) {
        const next = await this.batches.next()
        if (next.done === true) return undefined
        microbatches.push(next.value.arrays)
        count += next.value.count
      }
      return { staged: this.stage(microbatches), count }
    } finally {
      this.idle = true
    }
  }
}
