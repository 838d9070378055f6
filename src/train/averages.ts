import type { HostTensor } from '../runtime/dtype.js'
import type { Evaluation } from './events.js'

type Outputs = Readonly<Record<string, HostTensor>>

/** Means of loss and accuracy over many batches, weighted by their real labels. */
export class Averages {
  private loss = 0
  private correct1 = 0
  private correct5 = 0
  private counted = false
  /** Images with a real label, so far (batches, where the outputs are no class scores). */
  images = 0

  /** Adds a step's outputs and returns its own means. Its loss is a sum over `microbatches`. */
  add(outputs: Outputs, microbatches = 1): { loss: number; accuracy: number | undefined } {
    const scalar = (name: string) => outputs[name]?.data[0]
    const loss = scalar('loss')! / microbatches
    const count = scalar('count')
    const weight = count ?? microbatches
    this.counted ||= count !== undefined
    this.loss += loss * weight
    this.correct1 += scalar('correct1') ?? 0
    this.correct5 += scalar('correct5') ?? 0
    this.images += weight
    return { loss, accuracy: count === undefined ? undefined : scalar('correct1')! / count }
  }

  evaluation(): Evaluation {
    const { images } = this
    const share = (correct: number) => (this.counted ? correct / images : undefined)
    return { loss: this.loss / images, accuracy: share(this.correct1), accuracy5: share(this.correct5), count: images }
  }
}
