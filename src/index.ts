/** The public surface of eraserelu. */
export * as data from './data/index.js'
export * as models from './models/index.js'
export * as optim from './optim/index.js'

export { eraseReLU, type EraseOptions, type EraseReport } from './erase.js'

export * from './nn/index.js'

export {
  abs, add, affine, avgPool2d, batchNorm, clamp, concat, conv2d, crossEntropy, div, dropout, exp, flatten, globalAvgPool, linear, log, max, maximum,
  maxPool2d, mean, minimum, mul, neg, pow, relu, reshape, scaleSamples, shortcutA, sigmoid, slice, sqrt, square, sub, sum, tanh,
  type Activation, type Conv2dOptions, type CrossEntropyOptions, type Operand, type Padding, type Pair, type PoolOptions,
} from './graph/functions.js' // prettier-ignore
export { Parameter, type ParameterRole } from './graph/parameter.js'
export { Tensor, type TensorType } from './graph/tensor.js'
export { run, type RunOperationOptions } from './graph/run.js'
export {
  compile,
  type CompileOptions,
  type InputType,
  type Session,
  type SessionMemory,
  type Traceable,
} from './graph/session.js'
export { vocabulary, type OpName } from './graph/vocabulary.js'

export { Trainer, type FitOptions, type TrainerMemory, type TrainerOptions } from './train/trainer.js'
export type { EndEvent, EpochEvent, Evaluation, StepEvent, TrainingEvent } from './train/events.js'
export type { TracedBatch } from './train/feed.js'
export type { Loss } from './train/training_plan.js'

export type { DeviceInfo, PlanMemory } from './runtime/addon.js'
export { deviceInfo, devices } from './runtime/devices.js'
export type { DType, HostArray, HostTensor, Shape } from './runtime/dtype.js'
export {
  AddonNotFound, DeviceError, Disposed, EraseReLUError, Internal, InvalidArgument, NotFinite, OutOfMemory, Unsupported,
} from './runtime/errors.js' // prettier-ignore
