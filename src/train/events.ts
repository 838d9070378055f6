/** What a training tells while it runs: `for await (const event of trainer.fit())`. */

/** After every optimizer step. */
export interface StepEvent {
  /** Tells the events apart. */
  readonly type: 'step'
  /** Steps done in all, this one included. */
  readonly step: number
  /** The epoch under way, from 1. */
  readonly epoch: number
  /** Steps of this epoch done, this one included. */
  readonly stepInEpoch: number
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number
  /** Mean over the images of the step. */
  readonly loss: number
  /** Share of the step's images whose class was right (with mixup or cutmix: that with the larger share), 0…1; undefined when the model does not give class scores. */
  readonly accuracy: number | undefined
  /** Of the first parameter group. */
  readonly learningRate: number
  /** Before clipping. */
  readonly gradientNorm: number
  /** With precision 'f16': whether loss or gradient overflowed, so that the step changed no weight. */
  readonly skipped: boolean
  /** With precision 'f16': what the loss of the next step is multiplied with before its backward pass. */
  readonly lossScale: number | undefined
  /** From the step before to this one. */
  readonly seconds: number
  /** Of these, waiting for images. */
  readonly dataSeconds: number
  /** Over the last steps. */
  readonly imagesPerSecond: number
}

/** What was measured on test images. */
export interface Evaluation {
  /** Mean over the images. */
  readonly loss: number
  /** Share of images whose class was right, 0…1; undefined when the model does not give class scores. */
  readonly accuracy: number | undefined
  /** Share of images whose class was among the first five, 0…1. */
  readonly accuracy5: number | undefined
  /** Images with a real label. */
  readonly count: number
}

/** Means over an epoch's steps, while the weights changed. */
export interface TrainingMeans {
  /** Mean loss. */
  readonly loss: number
  /** Share of images whose class was right (with mixup or cutmix: that with the larger share), 0…1; undefined when the model does not give class scores. */
  readonly accuracy: number | undefined
}

/** After every epoch. */
export interface EpochEvent {
  /** Tells the events apart. */
  readonly type: 'epoch'
  /** Epochs done. */
  readonly epoch: number
  /** Of the whole training. */
  readonly epochs: number
  /** Steps done. */
  readonly step: number
  /** On the epoch's training images. */
  readonly train: TrainingMeans
  /** On the test images after the epoch; undefined without any. */
  readonly test: Evaluation | undefined
  /** Of the first parameter group, in the epoch's last step. */
  readonly learningRate: number
  /** Training alone, without evaluation. */
  readonly imagesPerSecond: number
  /** Of the epoch's training. */
  readonly seconds: number
  /** Of these, waiting for images. */
  readonly dataSeconds: number
}

/** At the end, when all epochs are done. */
export interface EndEvent {
  /** Tells the events apart. */
  readonly type: 'end'
  /** Steps done. */
  readonly step: number
  /** Epochs done. */
  readonly epochs: number
  /** The last evaluation. */
  readonly test: Evaluation | undefined
  /** Training without evaluation, over all epochs. */
  readonly imagesPerSecond: number
  /** Of all that this call of fit did. */
  readonly seconds: number
}

/** First of all, where an output folder was asked to be resumed. */
export interface ResumeEvent {
  /** Tells the events apart. */
  readonly type: 'resume'
  /** Steps that are not done again; 0 when it starts afresh. */
  readonly step: number
  /** Full epochs that are not done again. */
  readonly epoch: number
  /** The checkpoint that was taken; undefined: none, the training starts afresh. */
  readonly checkpoint: string | undefined
  /** What was passed over and why, what was moved aside, and what of build and machine differs; one sentence each. */
  readonly notes: readonly string[]
  /** Options of the trainer that differ from those of the run that wrote the checkpoint: 'epochs was 3, is 4'. */
  readonly changedSettings: readonly string[]
}

/** A checkpoint is complete and on the disk. */
export interface CheckpointEvent {
  /** Tells the events apart. */
  readonly type: 'checkpoint'
  /** Steps done. */
  readonly step: number
  /** Full epochs done. */
  readonly epoch: number
  /** The folder: 'runs/a/checkpoints/step-120'. */
  readonly checkpoint: string
  /** An epoch's end, time that has passed, a signal or a left loop, a step that was not finite, or another error. */
  readonly reason: 'epoch' | 'time' | 'stopped' | 'not finite' | 'failed'
  /** Whether it has the best test accuracy so far (the lowest test loss, where there is no accuracy). */
  readonly best: boolean
  /** What writing it took. */
  readonly seconds: number
}

/** What `Trainer.fit` yields; `type` tells them apart. */
export type TrainingEvent = ResumeEvent | StepEvent | EpochEvent | CheckpointEvent | EndEvent
