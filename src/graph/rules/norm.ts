import { elementsOf, f32, type Shape, type Tensor } from '../tensor.js'
import { numbers, operand, reject, requireShape, sizeOf, type Call, type GradientContext, type Rule } from './rule.js'

function channelsOf(call: Call, vectors: readonly string[]): { x: Tensor; channels: number } {
  const x = operand(call, 'x')
  const channels = x.shape.at(-1) ?? 1
  for (const name of vectors) requireShape(call, name, [channels], 'one a channel of x')
  requireShape(call, 'residual', x.shape, 'that of x')
  return { x, channels }
}

/** The mask of an activation [..., C]: one bit an element, the channels of a pixel in bytes of their own. */
export const maskShape = (x: Shape): Shape => [...x.slice(0, -1), Math.ceil((x.at(-1) ?? 1) / 8)]

/** relu after a residual cannot be recomputed from x alone: then the forward pass keeps a mask. */
function maskOf(g: GradientContext): Tensor | undefined {
  const { node } = g
  if (node.attributes.activation !== 'relu' || !node.reads.residual) return undefined
  return g.write('mask', { dtype: 'u8', shape: maskShape(g.read('x').shape) })
}

const batchNorm: Rule = {
  doc: 'batch normalisation with the statistics of the batch, + residual, activation; lowered to its parts',
  shape(call) {
    const { x, channels } = channelsOf(call, ['gamma', 'beta', 'runningMean', 'runningVariance'])
    if (elementsOf(x.shape) / channels < 2) {
      reject(
        call,
        `batch norm in training needs more than one value a channel, got x ${x.toString()}: use a larger batch or image`,
      )
    }
    const vector = f32([channels])
    return { y: f32(x.shape), mean: vector, invstd: vector, variance: vector }
  },
  gradient(g) {
    const dy = g.arrived('y')
    const { activation = 'identity' } = g.node.attributes
    const mask = maskOf(g)
    const [x, gamma, beta] = [g.read('x'), g.read('gamma'), g.read('beta')]
    const common = { dy, x, mean: g.write('mean'), invstd: g.write('invstd'), gamma, beta }
    const { dgamma, dbeta } = g.add('bnBwdReduce', { ...common, mask }, { activation }, { dgamma: gamma, dbeta: beta })
    if (g.needs('gamma')) g.give('gamma', dgamma!)
    if (g.needs('beta')) g.give('beta', dbeta!)
    const masked = g.needs('residual') && activation === 'relu'
    if (g.needs('x') || masked) {
      const writes = masked ? { dx: x, dresidual: x } : { dx: x }
      const { dx, dresidual } = g.add('bnBwdApply', { ...common, dgamma, dbeta, mask }, { activation }, writes)
      if (g.needs('x')) g.give('x', dx!)
      if (masked) g.give('residual', dresidual!)
    }
    if (g.needs('residual') && !masked) g.give('residual', dy)
  },
}

const batchNormInfer: Rule = {
  doc: 'batch normalisation with given statistics, + residual, activation',
  shape(call) {
    const { x } = channelsOf(call, ['gamma', 'beta', 'mean', 'variance'])
    return { y: f32(x.shape) }
  },
  gradient(g) {
    const dy = g.arrived('y')
    const { activation = 'identity' } = g.node.attributes
    const [x, gamma, beta] = [g.read('x'), g.read('gamma'), g.read('beta')]
    const masked = g.needs('residual') && activation === 'relu'
    const { dx, dgamma, dbeta, dresidual } = g.add(
      'batchNormInferBwd',
      { dy, x, mean: g.read('mean'), variance: g.read('variance'), gamma, beta, mask: maskOf(g) },
      g.node.attributes,
      { dx: x, dgamma: gamma, dbeta: beta, ...(masked ? { dresidual: x } : {}) },
    )
    if (g.needs('x')) g.give('x', dx!)
    if (g.needs('gamma')) g.give('gamma', dgamma!)
    if (g.needs('beta')) g.give('beta', dbeta!)
    if (g.needs('residual')) g.give('residual', masked ? dresidual! : dy)
  },
}

export const norm = {
  batchNorm,
  batchNormInfer,
  bnStats: {
    doc: 'mean, 1/sqrt(variance + epsilon) and biased variance of each channel',
    shape(call) {
      const vector = f32([operand(call, 'x').shape.at(-1) ?? 1])
      return { mean: vector, invstd: vector, variance: vector }
    },
  } satisfies Rule,
  bnApply: {
    doc: 'y = act(gamma (x - mean) invstd + beta + residual)',
    shape: call => ({ y: f32(channelsOf(call, ['gamma', 'beta', 'mean', 'invstd']).x.shape) }),
  } satisfies Rule,
  bnBwdReduce: {
    doc: 'gradients of gamma and beta',
    shape(call) {
      const vector = f32([channelsOf(call, ['gamma', 'beta', 'mean', 'invstd']).channels])
      return { dgamma: vector, dbeta: vector }
    },
  } satisfies Rule,
  bnBwdApply: {
    doc: 'gradient of batch norm with respect to x, and of the residual',
    shape: call => ({ dx: f32(channelsOf(call, ['gamma', 'beta', 'mean', 'invstd', 'dgamma', 'dbeta']).x.shape) }),
  } satisfies Rule,
  batchNormInferBwd: {
    doc: 'gradients of batchNormInfer, the statistics being constants',
    shape(call) {
      const { x, channels } = channelsOf(call, ['gamma', 'beta', 'mean', 'variance'])
      return { dx: f32(x.shape), dgamma: f32([channels]), dbeta: f32([channels]) }
    },
    // Once for the sums, once for dx.
    touches: use => ({ dy: 2 * sizeOf(use, 'dy'), x: 2 * sizeOf(use, 'x'), mask: 2 * sizeOf(use, 'mask') }),
  } satisfies Rule,
  bnRunningUpdate: {
    doc: 'running = (1 - momentum) running + momentum batch, all layers at once, in the update section',
    shape: call => ({ running: operand(call, 'running') }),
    touches({ attributes }) {
      const channels = numbers(attributes, 'ranges').filter((_, i) => i % 4 === 3)
      const both = 2 * channels.reduce((sum, count) => sum + count, 0)
      return { statistics: both, running: both }
    },
  } satisfies Rule,
}
