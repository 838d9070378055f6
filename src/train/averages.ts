import type { HostTensor } from '../runtime/dtype.js'
import type { Evaluation } from './events.js'

type Outputs = Readonly<Record<string, HostTensor>>

/** Sums over the batches so far; plain data, so that a checkpoint can hold them. */
export interface Sums {
  readonly loss: number
  readonly correct1: number
  readonly correct5: number
  /** Whether the outputs are class scores, so that correct answers are counted. */
  readonly counted: boolean
  /** Images with a real label (batches, where the outputs are no class scores). */
  readonly images: number
  /** Places of batches without an image, such as for files that could not be read. */
  readonly passedOver: number
}

const nothing: Sums = { loss: 0, correct1: 0, correct5: 0, counted: false, images: 0, passedOver: 0 }

/** Means of loss and accuracy over many batches, weighted by their real labels. */
export class Averages {
  constructor(public sums: Sums = nothing) {}

  /**
   * Adds a step's outputs and returns its own means. Its loss is a sum over `microbatches`. Of a step that was skipped a loss that
   * is not finite does not count.
   */
  add(outputs: Outputs, microbatches = 1, skipped = false): { loss: number; accuracy: number | undefined } {
    const scalar = (name: string) => outputs[name]?.data[0]
    const loss = scalar('loss')! / microbatches
    const count = scalar('count')
    const weight = count ?? microbatches
    const { sums } = this
    const means = { loss, accuracy: count === undefined ? undefined : scalar('correct1')! / count }
    if (skipped && !Number.isFinite(loss)) return means
    this.sums = {
      ...sums,
      loss: sums.loss + loss * weight,
      correct1: sums.correct1 + (scalar('correct1') ?? 0),
      correct5: sums.correct5 + (scalar('correct5') ?? 0),
      counted: sums.counted || count !== undefined,
      images: sums.images + weight,
    }
    return means
  }

  /** Counts places of a batch without an image. */
  passOver(places: number): void {
    this.sums = { ...this.sums, passedOver: this.sums.passedOver + places }
  }

  evaluation(): Evaluation {
    const { loss, correct1, correct5, counted, images } = this.sums
    const share = (correct: number) => (counted ? correct / images : undefined)
    return { loss: loss / images, accuracy: share(correct1), accuracy5: share(correct5), count: images }
  }
}
