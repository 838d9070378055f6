/** Cases of batch norm: statistics, application, gradients, running statistics, and the form with fixed statistics. */
import { maskShape } from '../../../src/graph/rules/norm.js'
import type { Shape } from '../../../src/runtime/dtype.js'
import type { Case, Example } from './case.js'
import { f32, sizeOf, type Draw } from './draw.js'
import { stateOf } from './update.js'

const shapes: Shape[] = [
  [2, 4, 4, 8],
  [3, 7, 5, 3],
  [1, 4, 4, 10],
  [2, 6, 6, 36],
  [2, 3, 3, 64],
  [1, 2, 2, 300], // more than one block of the mask, and a last byte that is not full
  [5, 3, 3, 1],
  [16, 12], // flat features
  [2, 3, 2, 2, 6],
  [4, 32, 32, 20], // several pieces, several threads
  [2, 16, 16, 17], // one channel more than a vector holds
  [2, 16, 16, 24], // half a vector more
  [1, 16, 32, 44], // more than half
]
const named = (shape: Shape, ...parts: (string | false)[]) => [`[${shape.join(', ')}]`, ...parts.filter(part => part)].join(', ')
const yesAndNo = [false, true]
const activations = ['identity', 'relu'] as const

const statistics = shapes.map((shape): Case => ({
  op: 'bnStats',
  name: named(shape),
  make: draw => ({ inputs: { x: draw.values(shape) }, attributes: { epsilon: 1e-5 } }),
  terms: sizeOf(shape) / shape.at(-1)!,
  exact: false,
}))

/** The mean of the squares minus the square of the mean would lose every digit here. */
const farFromZero: Case = {
  op: 'bnStats',
  name: 'mean 1000, deviation 1',
  make: draw => {
    const x = draw.values([4, 16, 16, 6])
    return { inputs: { x: { ...x, data: x.data.map(value => 1000 + value) } }, attributes: { epsilon: 1e-5 } }
  },
  terms: 1024,
  exact: false,
}

/** One number a channel each: what batch norm and its gradients read. */
function channelInputs(draw: Draw, channels: number) {
  return {
    mean: draw.values([channels]),
    invstd: draw.positive([channels]),
    gamma: draw.values([channels]),
    beta: draw.values([channels]),
  }
}

/** The same with a variance; for small integers variance + epsilon is 1/4, 1 or 4. */
function inferenceInputs(draw: Draw, channels: number) {
  const { invstd, ...others } = channelInputs(draw, channels)
  const variance = draw.exact ? { shape: [channels], data: invstd.data.map(value => value ** 2 / 4 - 0.25) } : invstd
  return { ...others, variance }
}
const epsilonFor = (draw: Draw) => (draw.exact ? 0.25 : 1e-5)

function application(op: 'bnApply' | 'batchNormInfer', shape: Shape): Case[] {
  const combinations = activations.flatMap(activation =>
    yesAndNo.flatMap(residual => yesAndNo.map(mask => ({ activation, residual, mask }))),
  )
  return combinations.map(({ activation, residual, mask }) => ({
    op,
    name: named(shape, activation, residual && 'residual', mask && 'mask'),
    make: draw => ({
      inputs: {
        x: draw.values(shape),
        ...(op === 'bnApply' ? channelInputs : inferenceInputs)(draw, shape.at(-1)!),
        ...(residual && { residual: draw.values(shape) }),
      },
      attributes: { activation, ...(op === 'batchNormInfer' && { epsilon: epsilonFor(draw) }) },
      outputs: mask ? { mask: { shape: maskShape(shape), dtype: 'u8' as const } } : {},
    }),
    terms: 4,
  }))
}

/** The activation of a gradient: none, found again from x, or read from the mask. */
const gates = [
  { activation: 'identity', mask: false },
  { activation: 'relu', mask: false },
  { activation: 'relu', mask: true },
] as const

function reduction(shape: Shape): Case[] {
  return gates.map(({ activation, mask }) => ({
    op: 'bnBwdReduce',
    name: named(shape, activation, mask && 'mask'),
    make: draw => ({
      inputs: {
        dy: draw.values(shape),
        x: draw.values(shape),
        ...channelInputs(draw, shape.at(-1)!),
        ...(mask && { mask: draw.bytes(255, maskShape(shape)) }),
      },
      attributes: { activation },
    }),
    terms: sizeOf(shape) / shape.at(-1)!,
  }))
}

function gradient(shape: Shape): Case[] {
  const channels = shape.at(-1)!
  const m = sizeOf(shape) / channels
  return gates.flatMap(({ activation, mask }) =>
    yesAndNo.map(residual => ({
      op: 'bnBwdApply',
      name: named(shape, activation, mask && 'mask', residual && 'dresidual'),
      make: (draw: Draw): Example => ({
        inputs: {
          dy: draw.values(shape),
          x: draw.values(shape),
          ...channelInputs(draw, channels),
          dgamma: draw.values([channels]),
          dbeta: draw.values([channels]),
          ...(mask && { mask: draw.bytes(255, maskShape(shape)) }),
        },
        attributes: { activation },
        outputs: residual ? { dresidual: { shape } } : {},
      }),
      terms: 4,
      exact: Number.isInteger(Math.log2(m)), // it divides by m
    })),
  )
}

function inferenceGradient(shape: Shape): Case[] {
  return gates.flatMap(({ activation, mask }) =>
    yesAndNo.map(residual => ({
      op: 'batchNormInferBwd',
      name: named(shape, activation, mask && 'mask', residual && 'dresidual'),
      make: (draw: Draw): Example => ({
        inputs: {
          dy: draw.values(shape),
          x: draw.values(shape),
          ...inferenceInputs(draw, shape.at(-1)!),
          ...(mask && { mask: draw.bytes(255, maskShape(shape)) }),
        },
        attributes: { activation, epsilon: epsilonFor(draw) },
        outputs: residual ? { dresidual: { shape } } : {},
      }),
      terms: sizeOf(shape) / shape.at(-1)!,
    })),
  )
}

/** Layers of 10, 700 and 1 channels, whose statistics lie in another order and with gaps; what lies between stays as it is. */
const running = [1, 0].map((finite): Case => ({
  op: 'bnRunningUpdate',
  name: finite ? 'applied' : 'skipped',
  make: draw => ({
    inputs: { statistics: draw.positive([1460]), state: stateOf({ finite }), running: draw.positive([1500]) },
    attributes: {
      ranges: [0, 5, 1480, 10, 32, 20, 725, 700, 1450, 0, 1, 1],
      momentum: [0.25, 0.5, 1],
      count: [2, 5, 3],
    },
  }),
  terms: 2,
}))

/** relu and the mask, where the value before them is NaN, minus zero, or at its border. */
const edges = (['bnApply', 'batchNormInfer'] as const).map((op): Case => ({
  op,
  name: 'relu of NaN and zeros',
  make: () => ({
    inputs: {
      x: { shape: [3, 2], data: Float32Array.of(NaN, 1, 0, -0, 2, NaN) },
      mean: f32(0, 0),
      ...(op === 'bnApply' ? { invstd: f32(1, 1) } : { variance: f32(0.75, 0.75) }),
      gamma: f32(1, 1),
      beta: f32(0, -1),
    },
    attributes: { activation: 'relu', ...(op === 'batchNormInfer' && { epsilon: 0.25 }) },
    outputs: { mask: { shape: [3, 1], dtype: 'u8' } },
  }),
  nonFinite: true,
}))

export const normCases: readonly Case[] = [
  ...statistics,
  farFromZero,
  ...shapes.flatMap(shape => [
    ...application('bnApply', shape),
    ...reduction(shape),
    ...gradient(shape),
    ...application('batchNormInfer', shape),
    ...inferenceGradient(shape),
  ]),
  ...running,
  ...edges,
]
