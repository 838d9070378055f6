/**
 * The tensor functions: what a `forward` may do with tensors besides calling layers. Each appends nodes to the open trace
 * and returns symbolic tensors; shapes are checked at once and errors name the layer.
 */
import { InvalidArgument } from '../runtime/errors.js'
import { requireInteger } from '../runtime/options.js'
import type { Attributes, GraphOp, Operands } from './graph.js'
import { Parameter } from './parameter.js'
import { checkImageCall } from './rules/image.js'
import { outputTypes } from './rules/index.js'
import type { BinaryFunction, UnaryFunction } from './rules/pointwise.js'
import { shortcutAShape } from './rules/pooling.js'
import { elementsOf, f32, formatShape, type Shape, type Tensor, type TensorType } from './tensor.js'
import { currentTrace } from './trace.js'

/** A tensor, or a parameter used as one. */
export type Operand = Tensor | Parameter
/** One number for both directions, or [height, width]. */
export type Pair = number | readonly [number, number]
/** One number for all sides, [height, width], or [top, bottom, left, right]. */
export type Padding = Pair | readonly [number, number, number, number]
/** Applied to each element of a result: none, or max(x, 0). */
export type Activation = 'identity' | 'relu'

/** Appends one operation to the open trace. */
export function apply(
  op: GraphOp,
  operands: Readonly<Record<string, Operand | undefined>>,
  attributes: Attributes = {},
  outputs: Readonly<Record<string, TensorType>> = {},
): Record<string, Tensor> {
  const trace = currentTrace()
  const reads: Operands = Object.fromEntries(
    Object.entries(operands).map(([name, value]) => [name, value instanceof Parameter ? trace.parameter(value) : value]),
  )
  const call = { op, name: trace.scope, reads, attributes }
  return trace.graph.add(op, trace.scope, reads, attributes, outputTypes(call, outputs))
}

function pair(value: Pair, name: string, minimum = 1): [number, number] {
  const [h, w] = typeof value === 'number' ? [value, value] : value
  for (const v of [h, w]) {
    if (!Number.isInteger(v) || v < minimum) {
      throw new InvalidArgument(
        `${currentTrace().scope}: ${name} must be an integer of at least ${minimum} or a pair of them, got ${String(value)}`,
      )
    }
  }
  return [h, w]
}

/** [top, bottom, left, right] */
export function fourSides(value: Padding): [number, number, number, number] {
  if (typeof value !== 'number' && value.length === 4) {
    const [top, bottom, left, right] = value
    return [...pair([top, bottom], 'padding', 0), ...pair([left, right], 'padding', 0)]
  }
  const [h, w] = pair(value, 'padding', 0)
  return [h, h, w, w]
}

/** Options of `conv2d`. */
export interface Conv2dOptions {
  /** One number an output channel, [K]. Default: none. */
  bias?: Operand | undefined
  /** Added to the result before the activation; shape of the output. */
  residual?: Operand
  /** In pixels, at least 1. Default 1. */
  stride?: Pair
  /** Rows and columns of zeros around x. Default 0. */
  padding?: Padding
  /** Distance between neighbouring taps of the filter in pixels. Default 1: dense. */
  dilation?: Pair
  /** Both channel counts must be divisible by it. Default 1. */
  groups?: number
  /** Default 'identity'. */
  activation?: Activation
}

/**
 * Cross-correlation of x [N, H, W, C] with w [K, R, S, C/groups], + bias [K], + residual, activation: [N, H', W', K] with
 * H' = floor((H + top + bottom - dilation·(R-1) - 1) / stride) + 1. Throws InvalidArgument when channels or window do not fit.
 */
export function conv2d(x: Operand, w: Operand, options: Conv2dOptions = {}): Tensor {
  const { bias, residual, stride = 1, padding = 0, dilation = 1, groups = 1, activation = 'identity' } = options
  const attributes = {
    stride: pair(stride, 'stride'),
    pad: fourSides(padding),
    dilation: pair(dilation, 'dilation'),
    groups,
    activation,
  }
  return apply('conv2d', { x, w, bias, residual }, attributes).y!
}

/** x [N, C] times w [K, C] transposed, + bias [K]: [N, K]. A 1x1 convolution underneath. */
export function linear(x: Operand, w: Operand, bias?: Operand): Tensor {
  const [n = 0, c = 0, ...rest] = x.shape
  const [k = 0, wc = 0] = w.shape
  if (rest.length > 0 || c !== wc) {
    throw new InvalidArgument(
      `${currentTrace().scope} (linear): the input must be [N, ${wc}], got ${formatShape(x.shape)}${rest.length > 0 ? ': put Flatten or GlobalAvgPool before it' : ''}`,
    )
  }
  const y = conv2d(reshape(x, [n, 1, 1, c]), reshape(w, [k, 1, 1, c]), { bias })
  return reshape(y, [n, k])
}

/** The vectors of a batch norm, [C] each. */
export interface BatchNormParameters {
  /** Scale. */
  gamma: Operand
  /** Shift. */
  beta: Operand
  /** Moving average of the batches' means. */
  runningMean: Operand
  /** Moving average of the batches' unbiased variances. */
  runningVariance: Operand
}

/**
 * Batch norm over the last dimension. In a training trace: statistics of the batch, and the running ones are updated with
 * `momentum` (PyTorch's: running = (1-m) running + m batch, default 0.1). Otherwise, or with `frozen`, the running ones are
 * used. `epsilon` (default 1e-5) is added to the variance. The shape stays. Throws InvalidArgument for running statistics to be updated that
 * are no Parameters.
 */
export function batchNorm(
  x: Operand,
  p: BatchNormParameters,
  options: { epsilon?: number; momentum?: number; frozen?: boolean } = {},
): Tensor {
  const { epsilon = 1e-5, momentum = 0.1, frozen = false } = options
  const { gamma, beta, runningMean, runningVariance } = p
  if (currentTrace().training && !frozen) {
    requireStatistics({ runningMean, runningVariance })
    return apply('batchNorm', { x, gamma, beta, runningMean, runningVariance }, { epsilon, momentum, activation: 'identity' }).y!
  }
  return apply(
    'batchNormInfer',
    { x, mean: runningMean, variance: runningVariance, gamma, beta },
    { epsilon, activation: 'identity' },
  ).y!
}

/** The step writes running statistics, and parameters are all that it writes. */
function requireStatistics(statistics: Readonly<Record<string, Operand>>): void {
  for (const [name, operand] of Object.entries(statistics))
    if (!(operand instanceof Parameter) && !currentTrace().graph.parameterOf(operand))
      throw new InvalidArgument(
        `batchNorm: in training ${name} must be a Parameter, to be updated; with frozen: true it may be any tensor`,
      )
}

/** Options of `maxPool2d` and `avgPool2d`. */
export interface PoolOptions {
  /** Size of the window in pixels. */
  kernel: Pair
  /** In pixels. Default: the kernel. */
  stride?: Pair
  /** Rows and columns around x. Default 0. */
  padding?: Padding
}

const window = ({ kernel, stride = kernel, padding = 0 }: PoolOptions) => ({
  kernel: pair(kernel, 'kernel'),
  stride: pair(stride, 'stride'),
  pad: fourSides(padding),
})

/** Maximum over windows of x [N, H, W, C]; padding never wins: [N, H', W', C]. Throws InvalidArgument when a window does not fit. */
export function maxPool2d(x: Operand, options: PoolOptions): Tensor {
  return apply('maxPool', { x }, window(options)).y!
}

/** Mean over windows of x [N, H, W, C]: [N, H', W', C]. Counts the padding in the mean unless `countIncludePad` is false. */
export function avgPool2d(x: Operand, options: PoolOptions & { countIncludePad?: boolean }): Tensor {
  return apply('avgPool', { x }, { ...window(options), countIncludePad: options.countIncludePad === false ? 0 : 1 }).y!
}

/** Mean over height and width: [N, H, W, C] to [N, C]. */
export function globalAvgPool(x: Operand): Tensor {
  return apply('globalAvgPool', { x }).y!
}

/**
 * The parameter-free shortcut of CIFAR ResNets (option A of He et al. 2015): every stride-th pixel of x [N, H, W, C], channels
 * beyond those of x are zero: [N, ceil(H/stride), ceil(W/stride), channels]. Throws InvalidArgument for fewer channels than C.
 */
export function shortcutA(x: Operand, channels: number, stride: Pair): Tensor {
  const step = pair(stride, 'stride')
  const c = x.shape[3]
  if (c === undefined || channels < c) {
    throw new InvalidArgument(
      `${currentTrace().scope} (shortcutA): x must be [N, H, W, C] with C <= ${channels}, got ${formatShape(x.shape)}`,
    )
  }
  return apply('shortcutA', { x }, { stride: step }, { y: shortcutAShape(x.shape, step, channels) }).y!
}

/** max(x, 0) of each element; the gradient at 0 is 0. */
export function relu(x: Operand): Tensor {
  return apply('relu', { x }).y!
}

/** a + b of two tensors of the same rank, where dimensions of 1 stretch; b may be a number. Throws InvalidArgument for other shapes. */
export function add(a: Operand, b: Operand | number): Tensor {
  if (typeof b === 'number') return affine(a, 1, b)
  const same = formatShape(a.shape) === formatShape(b.shape)
  return same || a.shape.length !== b.shape.length ? apply('add', { a, b }).y! : binary('add', a, b)
}

/** Tensors of equal shape but along `axis` (default the last, channels) as one: their sizes there add up. Throws InvalidArgument for other shapes. */
export function concat(tensors: readonly Operand[], axis = -1): Tensor {
  const rank = tensors[0]?.shape.length ?? 0
  const inputs = Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor]))
  return apply('concat', inputs, { axis: axis < 0 ? axis + rank : axis }).y!
}

/** The box of x that starts at `begin` and has `size`, one number a dimension each. Throws InvalidArgument where it leaves x. */
export function slice(x: Operand, begin: readonly number[], size: Shape): Tensor {
  const fits =
    begin.length === x.shape.length &&
    size.length === x.shape.length &&
    size.every((n, i) => n >= 1 && begin[i]! >= 0 && begin[i]! + n <= x.shape[i]!)
  if (!fits) {
    throw new InvalidArgument(
      `${currentTrace().scope} (slice): begin ${formatShape(begin)} and size ${formatShape(size)} do not fit ${formatShape(x.shape)}`,
    )
  }
  return apply('slice', { x }, { begin }, { y: f32(size) }).y!
}

/** Each element becomes 0 with probability p in [0, 1), or else x / (1 - p), in a training trace; otherwise x itself. */
export function dropout(x: Tensor, p: number): Tensor {
  const trace = currentTrace()
  if (!trace.training || p === 0) return x
  return apply('dropout', { x }, { p, opId: trace.opId() }).y!
}

/** x[n] times scale[n]; scale is [N] and gets no gradient. */
export function scaleSamples(x: Operand, scale: Operand): Tensor {
  return apply('scaleSamples', { x, scale }).y!
}

/** The same elements under another shape; one dimension may be -1: what is left. Throws InvalidArgument for another number of elements. */
export function reshape(x: Operand, shape: Shape): Tensor {
  const known = shape.reduce((product, dim) => (dim === -1 ? product : product * dim), 1)
  const full = shape.map(dim => (dim === -1 ? elementsOf(x.shape) / known : dim))
  if (elementsOf(full) !== elementsOf(x.shape) || !full.every(Number.isInteger)) {
    throw new InvalidArgument(`${currentTrace().scope} (reshape): ${formatShape(x.shape)} cannot become ${formatShape(shape)}`)
  }
  const dtype = x instanceof Parameter ? 'f32' : x.dtype
  return apply('reshape', { x }, {}, { y: { dtype, shape: full } }).y!
}

/** [N, …] to [N, everything else], in [H, W, C] order. */
export function flatten(x: Operand): Tensor {
  return reshape(x, [x.shape[0]!, -1])
}

const unary = (fn: UnaryFunction, a: Operand, alpha = 0, beta = 0): Tensor => apply('pointwise', { a }, { fn, alpha, beta }).y!
const binary = (fn: BinaryFunction, a: Operand, b: Operand): Tensor => apply('pointwise', { a, b }, { fn, alpha: 0, beta: 0 }).y!

/** scale · a + shift of each element; the shape stays. */
export const affine = (a: Operand, scale: number, shift: number): Tensor => unary('affine', a, scale, shift)
/** a - b of two tensors of the same rank, where dimensions of 1 stretch; b may be a number. Throws InvalidArgument for other shapes. */
export const sub = (a: Operand, b: Operand | number): Tensor => (typeof b === 'number' ? affine(a, 1, -b) : binary('sub', a, b))
/** a · b of two tensors of the same rank, where dimensions of 1 stretch; b may be a number. Throws InvalidArgument for other shapes. */
export const mul = (a: Operand, b: Operand | number): Tensor => (typeof b === 'number' ? affine(a, b, 0) : binary('mul', a, b))
/** a / b of two tensors of the same rank, where dimensions of 1 stretch; b may be a number. Throws InvalidArgument for other shapes. */
export const div = (a: Operand, b: Operand | number): Tensor =>
  typeof b === 'number' ? affine(a, 1 / b, 0) : binary('div', a, b)
/** The larger of a and b of the same rank, where dimensions of 1 stretch; in a tie each gets half of the gradient. */
export const maximum = (a: Operand, b: Operand): Tensor => binary('max', a, b)
/** The smaller of a and b of the same rank, where dimensions of 1 stretch; in a tie each gets half of the gradient. */
export const minimum = (a: Operand, b: Operand): Tensor => binary('min', a, b)
/** e to the power of each element; the shape stays. */
export const exp = (a: Operand): Tensor => unary('exp', a)
/** Natural logarithm of each element; the shape stays. */
export const log = (a: Operand): Tensor => unary('log', a)
/** Square root of each element; the shape stays. */
export const sqrt = (a: Operand): Tensor => unary('sqrt', a)
/** 1 / (1 + exp(-a)) of each element; the shape stays. */
export const sigmoid = (a: Operand): Tensor => unary('sigmoid', a)
/** Hyperbolic tangent of each element; the shape stays. */
export const tanh = (a: Operand): Tensor => unary('tanh', a)
/** Absolute value of each element; the shape stays. */
export const abs = (a: Operand): Tensor => unary('abs', a)
/** -a; the shape stays. */
export const neg = (a: Operand): Tensor => unary('neg', a)
/** a² of each element; the shape stays. */
export const square = (a: Operand): Tensor => unary('square', a)
/** Each element, kept between low and high; the gradient is 0 outside of them; the shape stays. */
export const clamp = (a: Operand, low: number, high: number): Tensor => unary('clamp', a, low, high)
/** Each element to the power of a fixed exponent; the shape stays. */
export const pow = (a: Operand, exponent: number): Tensor => unary('pow', a, exponent)

function reduce(fn: 'sum' | 'mean' | 'max', x: Operand, axes?: readonly number[]): Tensor {
  const rank = x.shape.length
  return apply(
    'reduce',
    { x },
    { fn, axes: axes?.map(axis => (axis < 0 ? axis + rank : axis)) ?? x.shape.map((_, axis) => axis) },
  ).y!
}

/** Sum over `axes` (default all; negative ones count from the last); reduced dimensions stay as 1. */
export const sum = (x: Operand, axes?: readonly number[]): Tensor => reduce('sum', x, axes)
/** Arithmetic mean over `axes` (default all; negative ones count from the last); reduced dimensions stay as 1. */
export const mean = (x: Operand, axes?: readonly number[]): Tensor => reduce('mean', x, axes)
/** Maximum over `axes` as in `sum`. Ties share the gradient evenly. */
export const max = (x: Operand, axes?: readonly number[]): Tensor => reduce('max', x, axes)

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** Share of the target that is spread evenly over all classes, in [0, 1); default 0 (Szegedy et al. 2016). */
  labelSmoothing?: number
  /** A second label set with its share: target = lambda · labels + (1 - lambda) · labels2, lambda f32 [N]. */
  mix?: LabelMix
}

/** A second label set and the share of the first. */
export interface LabelMix {
  /** i32 [N]. */
  readonly labels2: Tensor
  /** f32 [N], 0 to 1. */
  readonly lambda: Tensor
}

/** Loss and counts of a batch. */
export interface CrossEntropy {
  /** Mean over the real labels (>= 0), [1]. */
  loss: Tensor
  /** How many samples have their label as the highest score, [1]. */
  correct1: Tensor
  /** How many samples have their label among the five highest scores, [1]. */
  correct5: Tensor
  /** How many labels are real, [1]. */
  count: Tensor
}

/** Softmax cross-entropy of logits [N, classes] with labels i32 [N]; label -1 is ignored. */
export function crossEntropyWithCounts(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): CrossEntropy {
  const { labelSmoothing = 0, mix } = options
  const outputs = apply('softmaxCrossEntropy', { logits, labels, labels2: mix?.labels2, lambda: mix?.lambda }, { labelSmoothing })
  return { loss: outputs.loss!, correct1: outputs.correct1!, correct5: outputs.correct5!, count: outputs.count! }
}

/** The loss of crossEntropyWithCounts alone. */
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  return crossEntropyWithCounts(logits, labels, options).loss
}

/** Labels i32 [N] as f32 [N, classes]: 1 in the column of the label, 0 elsewhere; a row of zeros for label -1 (ignored). */
export function oneHot(labels: Tensor, classes: number): Tensor {
  const where = `${currentTrace().scope || 'the loss'} (oneHot)`
  requireInteger(where, 'classes', classes)
  if (labels.shape.length !== 1 || labels.dtype !== 'i32')
    throw new InvalidArgument(`${where}: labels must be i32 [N], got ${labels.toString()}`)
  const number = apply('cast', { x: labels }, {}, { y: f32(labels.shape) }).y!
  return binary('eq', reshape(number, [labels.size, 1]), countUp(classes))
}

/** 0, 1, …, n - 1 as [1, n], in few nodes: what is there, and the same shifted behind it. */
function countUp(n: number): Tensor {
  let row = apply('fill', {}, { value: 0 }, { y: f32([1, 1]) }).y!
  while (row.size < n) row = concat([row, affine(row, 1, row.size)])
  return row.size === n ? row : slice(row, [0, 0], [1, n])
}

/** How u8 images become the network's input. */
export interface ImageOptions {
  /** Of the pixel values in 0…1, one a channel. */
  mean: readonly number[]
  /** Of the pixel values in 0…1, one a channel, above 0. */
  std: readonly number[]
  /** Rows and columns added on every side before cropping. */
  pad: number
  /** What the added pixels are: 0 (black), or the image mirrored at its edge. */
  padMode: 'zero' | 'reflect'
  /** Side of the erased square; 0: none. */
  cutout: number
  /** Of the crop, in pixels. */
  height: number
  /** Of the crop, in pixels. */
  width: number
}

function image(
  op: 'imageInput' | 'gatherImages',
  reads: Record<string, Tensor | undefined>,
  batch: number,
  channels: number,
  o: ImageOptions,
) {
  const attributes = { mean: o.mean, std: o.std, pad: o.pad, padMode: o.padMode, cutout: o.cutout }
  checkImageCall({ op, name: 'input', reads, attributes })
  return apply(op, reads, attributes, { x: f32([batch, o.height, o.width, channels]) }).x!
}

/** images u8 [N, H, W, C], offsets i32 [N, 2], flips u8 [N], cutouts i32 [N, 2]: the network's input, f32. */
export function imageInput(images: Tensor, offsets: Tensor, flips: Tensor, options: ImageOptions, cutouts?: Tensor): Tensor {
  return image('imageInput', { images, offsets, flips, cutouts }, images.shape[0]!, images.shape[3]!, options)
}

/** As imageInput, with the images picked by `indices` i32 [N] from a data set u8 [M, H, W, C] that lives on the device. */
export function gatherImages(
  dataset: Tensor,
  indices: Tensor,
  offsets: Tensor,
  flips: Tensor,
  options: ImageOptions,
  cutouts?: Tensor,
): Tensor {
  return image('gatherImages', { dataset, indices, offsets, flips, cutouts }, indices.shape[0]!, dataset.shape[3]!, options)
}
