/** Takes the batches of a step from a feed and stages them, so that they are on the device when the step before has ended. */
import type { HostArrays } from '../runtime/plan.js'
import type { CompiledTraining, StagedStep } from './compiled_training.js'

interface FeedBatch {
  readonly arrays: HostArrays
  readonly count: number
}

/** `count`: how many real images it has. */
export interface LoadedStep {
  readonly staged: StagedStep
  readonly count: number
}

export class StepLoader {
  private readonly batches: AsyncIterator<FeedBatch, unknown>
  private loading: Promise<LoadedStep | undefined> | undefined
  private idle = true

  constructor(
    batches: AsyncIterable<FeedBatch>,
    private readonly compiled: CompiledTraining,
    /** Microbatches a step. */
    private readonly accumulate: number,
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
  async next(): Promise<LoadedStep | undefined> {
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

  private async load(): Promise<LoadedStep | undefined> {
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
      return { staged: this.compiled.stage(microbatches), count }
    } finally {
      this.idle = true
    }
  }
}
