/** What a training tells while it runs: `for await (const event of trainer.fit())`. */

/** After every optimizer step. */
export interface StepEvent {
  readonly type: 'step'
  /** Steps done in all, this one included. */
  readonly step: number
  readonly epoch: number
  /** Steps of this epoch done, and in all. */
  readonly stepInEpoch: number
  readonly stepsPerEpoch: number
  /** Mean over the images of the step. */
  readonly loss: number
  /** Share of the step's images whose class was right, 0…1; undefined when the model does not give class scores. */
  readonly accuracy: number | undefined
  /** Of the first parameter group. */
  readonly learningRate: number
  /** Before clipping. */
  readonly gradientNorm: number
  /** Over the last steps. */
  readonly imagesPerSecond: number
}

export interface Evaluation {
  readonly loss: number
  /** Share of images whose class was right (among the first five), 0…1. */
  readonly accuracy: number | undefined
  readonly accuracy5: number | undefined
  /** Images with a real label. */
  readonly count: number
}

/** After every epoch. */
export interface EpochEvent {
  readonly type: 'epoch'
  /** Epochs done. */
  readonly epoch: number
  readonly epochs: number
  readonly step: number
  /** Means over the epoch's steps, while the weights changed. */
  readonly train: { readonly loss: number; readonly accuracy: number | undefined }
  /** On the test images after the epoch; undefined without any. */
  readonly test: Evaluation | undefined
  /** Training alone, without evaluation. */
  readonly imagesPerSecond: number
  readonly seconds: number
}

export interface EndEvent {
  readonly type: 'end'
  readonly step: number
  readonly epochs: number
  /** The last evaluation. */
  readonly test: Evaluation | undefined
  /** Training without evaluation, over all epochs. */
  readonly imagesPerSecond: number
  readonly seconds: number
}

export type TrainingEvent = StepEvent | EpochEvent | EndEvent
