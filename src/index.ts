/** The public surface of eraserelu. */
export * as data from './data/index.js'
/** Networks by name, their blocks, and a registry for others. */
export * as models from './models/index.js'
/** Optimizers, parameter groups and learning-rate schedules. */
export * as optim from './optim/index.js'

export { eraseReLU, type EraseEntry, type EraseOptions, type EraseReport, type EraseRule, type ReLUCounts } from './erase.js'

export * from './nn/index.js'

export {
  abs, add, affine, avgPool2d, batchNorm, clamp, concat, conv2d, crossEntropy, div, dropout, exp, flatten, globalAvgPool, linear, log, max, maximum,
  maxPool2d, mean, minimum, mul, neg, oneHot, pow, relu, reshape, scaleSamples, shortcutA, sigmoid, slice, sqrt, square, sub, sum, tanh,
  type Activation, type BatchNormParameters, type Conv2dOptions, type CrossEntropyOptions, type LabelMix, type Operand, type Padding, type Pair, type PoolOptions,
} from './graph/functions.js' // prettier-ignore
export type { Memory } from './graph/passes/recompute.js'
export type { Precision } from './graph/precision.js'
export { Parameter, type ParameterRole } from './graph/parameter.js'
export { Tensor, type TensorType } from './graph/tensor.js'
export { run, type RunOperationOptions } from './graph/run.js'
export {
  compile,
  type CompileOptions,
  type InputType,
  type LayerEngine,
  type Session,
  type SessionMemory,
  type Traceable,
} from './graph/session.js'
export type { Attribute, Attributes } from './graph/graph.js'
export { vocabulary, type Batch as BatchTreatment, type Operands, type OpName } from './graph/vocabulary.js'

export type { TrainerMemory, WeightsView } from './train/compiled_training.js'
export type { LowMemory } from './train/low_memory.js'
export {
  LoadReport, loadWeights, saveWeights,
  type FilterLayout, type LoadWeightsOptions, type SaveWeightsOptions, type ShapeMismatch,
} from './interop/index.js' // prettier-ignore

export { Trainer, type EvaluateOptions, type FitOptions, type TrainerOptions } from './train/trainer.js'
export type {
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  Evaluation,
  ResumeEvent,
  StepEvent,
  TrainingEvent,
  TrainingMeans,
} from './train/events.js'
export { evaluate, type EvaluateModelOptions } from './train/evaluate.js'
export { fasterPrecision, type FasterPrecision } from './train/faster_precision.js'
export type { TracedBatch } from './train/feed.js'
export type { TrainingData } from './train/feeds.js'
export type { Loss } from './train/training_plan.js'

export type { DeviceInfo, PlanMemory, PrepareProgress, TensorBytes } from './runtime/addon.js'
export { deviceInfo, deviceProblem, devices } from './runtime/devices.js'
export type { DType, Float16, HostArray, HostTensor, Shape } from './runtime/dtype.js'
export { decodeFloat16, encodeFloat16 } from './runtime/float16.js'
export type { EngineOptions } from './runtime/policy.js'
export {
  AddonNotFound, DeviceError, Disposed, EraseReLUError, Internal, InvalidArgument, NotFinite, OutOfMemory, OutputError, Unsupported,
} from './runtime/errors.js' // prettier-ignore
