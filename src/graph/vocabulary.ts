/**
 * The vocabulary: the operands and attributes of every operation, word by word as in native/plan/op_desc.cc.
 * What they mean is in docs/vocabulary.md. `?` marks an operand that may be absent, `*` one or more tensors (always last);
 * an operand under the same name on both sides is updated in place.
 */

/** How an operation treats the batch: image by image, summing over images, or all of it at once. */
export type Batch = 'map' | 'reduce' | 'whole'

/** What an operation takes and gives: names separated by spaces, in order. */
export interface Operands {
  /** Tensors it reads. */
  readonly reads: string
  /** Tensors it writes. */
  readonly writes: string
  /** Numbers and words that are fixed when it is compiled. */
  readonly attributes: string
  /** In a tiled region. */
  readonly batch: Batch
}

const op = (reads: string, writes: string, attributes: string, batch: Batch): Operands => ({ reads, writes, attributes, batch })

const convolution = 'stride pad dilation groups'
const window = 'kernel stride pad'
const image = 'mean std pad padMode cutout'

const table = {
  // convolution
  conv2d: op('x w bias? residual?', 'y', `${convolution} activation`, 'map'),
  conv2dBwdData: op('dy w addend?', 'dx', convolution, 'map'),
  conv2dBwdFilter: op('dy x', 'dw', convolution, 'reduce'),
  biasBwd: op('dy', 'db', '', 'reduce'),
  // batch norm
  bnStats: op('x', 'mean invstd variance', 'epsilon', 'reduce'),
  bnApply: op('x mean invstd gamma beta residual?', 'y mask?', 'activation', 'map'),
  bnBwdReduce: op('dy x mean invstd gamma beta mask?', 'dgamma dbeta', 'activation', 'reduce'),
  bnBwdApply: op('dy x mean invstd gamma beta dgamma dbeta mask?', 'dx dresidual?', 'activation', 'map'),
  bnRunningUpdate: op('statistics state running', 'running', 'ranges momentum count', 'whole'),
  batchNormInfer: op('x mean variance gamma beta residual?', 'y mask?', 'epsilon activation', 'map'),
  batchNormInferBwd: op('dy x mean variance gamma beta mask?', 'dx dgamma dbeta dresidual?', 'epsilon activation', 'reduce'),
  // pooling and shortcuts
  maxPool: op('x', 'y argmax?', window, 'map'),
  maxPoolBwd: op('dy argmax', 'dx', window, 'map'),
  avgPool: op('x', 'y', `${window} countIncludePad`, 'map'),
  avgPoolBwd: op('dy', 'dx', `${window} countIncludePad`, 'map'),
  globalAvgPool: op('x', 'y', '', 'map'),
  globalAvgPoolBwd: op('dy', 'dx', '', 'map'),
  shortcutA: op('x', 'y', 'stride', 'map'),
  shortcutABwd: op('dy', 'dx', 'stride', 'map'),
  // elementwise
  relu: op('x', 'y', '', 'map'),
  reluBwd: op('dy y', 'dx', '', 'map'),
  add: op('a b', 'y', '', 'map'),
  concat: op('x*', 'y', 'axis', 'whole'),
  slice: op('x', 'y', 'begin', 'whole'),
  sliceBwd: op('dy', 'dx', 'begin', 'whole'),
  dropout: op('x', 'y', 'p opId', 'map'),
  dropoutBwd: op('dy', 'dx', 'p opId', 'map'),
  scaleSamples: op('x scale', 'y', '', 'map'),
  pointwise: op('a b?', 'y', 'fn alpha beta', 'whole'),
  reduce: op('x', 'y', 'fn axes', 'whole'),
  cast: op('x', 'y', '', 'whole'),
  fill: op('', 'y', 'value', 'whole'),
  sum: op('x total', 'total', '', 'whole'),
  // loss
  softmaxCrossEntropy: op('logits labels labels2? lambda?', 'loss dlogits? correct1 correct5 count', 'labelSmoothing', 'whole'),
  // images
  imageInput: op('images offsets flips cutouts?', 'x', image, 'map'),
  gatherImages: op('dataset indices offsets flips cutouts?', 'x', image, 'map'),
  // update
  gradNorm: op('loss? state gradient*', 'state', 'maxNorm', 'whole'),
  sgdUpdate: op(
    'gradient state weights velocity?',
    'weights velocity?',
    'momentum dampening nesterov ranges weightDecay',
    'whole',
  ),
  adamwUpdate: op('gradient state weights m v', 'weights m v', 'beta1 beta2 epsilon ranges weightDecay', 'whole'),
  emaUpdate: op('weights state ema', 'ema', 'decay', 'whole'),
} as const satisfies Record<string, Operands>

/** The name of an operation. */
export type OpName = keyof typeof table

/** Every operation with its operands; docs/vocabulary.md says what each computes. */
export const vocabulary: Readonly<Record<OpName, Operands>> = table

/** The operand names of one side, in order, without marks. */
export function operandNames(list: string): string[] {
  return list === '' ? [] : list.split(' ').map(name => name.replace(/[?*]$/, ''))
}
