/**
 * What gradients.test.ts differentiates. Where a function has kinks (relu, abs, max, clamp), the inputs keep away from them by
 * more than the steps of the differences, 1/16.
 */
import {
  abs, add, affine, apply, avgPool2d, batchNorm, clamp, concat, conv2d, crossEntropy, div, dropout, exp, flatten, globalAvgPool, linear,
  log, max, maximum, maxPool2d, mean, minimum, mul, neg, pow, relu, reshape, scaleSamples, shortcutA, sigmoid, slice, sqrt, square, sub,
  sum, tanh, type Activation, type Conv2dOptions, type Operand,
} from '../../src/graph/functions.js' // prettier-ignore
import type { Tensor } from '../../src/graph/tensor.js'
import type { HostTensor, Shape } from '../../src/runtime/dtype.js'
import { f32, i32, makeDraw, sizeOf } from './cases/draw.js'
import type { Differentiable } from './gradient_check.js'

const draw = makeDraw(3, false)
/** Multiples of 1/256, so that adding a step is exact. */
const rounded = (tensor: HostTensor): HostTensor => ({
  ...tensor,
  data: Float32Array.from(tensor.data, v => Math.round(v * 256) / 256),
})
const smooth = (...shape: number[]): HostTensor => rounded(draw.values(shape))
const filled = (shape: Shape, next: (i: number) => number): HostTensor =>
  rounded({ shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => next(i)) })
/** From 1 to 2. */
const positive = (...shape: number[]): HostTensor => filled(shape, () => 1 + draw.fractions([1]).data[0]!)
/** Far from zero, with both signs in every channel. */
const apart = (distance: number, ...shape: number[]): HostTensor =>
  filled(shape, i => (Math.floor(i / shape.at(-1)!) % 2 ? -1 : 1) * (distance + 0.25 * draw.fractions([1]).data[0]!))
/** No two are equal, nor a multiple of 1/4, in no order. */
const distinct = (...shape: number[]): HostTensor => filled(shape, i => ((i * 37) % 101) / 4 - 12.4)

type Parts = Record<'x', Operand>
const unaryOf = (name: string, x: HostTensor, f: (x: Operand) => Tensor): Differentiable => ({
  name,
  parameters: { x },
  build: p => f((p as unknown as Parts).x),
})

const unary: Differentiable[] = [
  unaryOf('exp', smooth(7), exp),
  unaryOf('log', positive(7), log),
  unaryOf('sqrt', positive(7), sqrt),
  unaryOf('sigmoid', smooth(7), sigmoid),
  unaryOf('tanh', smooth(7), tanh),
  unaryOf('abs', apart(0.5, 6, 2), abs),
  unaryOf('neg', smooth(7), neg),
  unaryOf('square', smooth(7), square),
  unaryOf('clamp', distinct(30), x => clamp(x, -2, 3)),
  unaryOf('affine', smooth(7), x => affine(x, -1.5, 2)),
  unaryOf('pow 1.5', positive(7), x => pow(x, 1.5)),
  unaryOf('pow -2', positive(7), x => pow(x, -2)),
]

const broadcasts: [Shape, Shape][] = [
  [[2, 3, 4], [2, 3, 4]],
  [[2, 3, 4], [1, 1, 4]],
  [[1, 1, 1], [2, 3, 4]],
  [[2, 1, 4], [1, 3, 1]],
] // prettier-ignore

const binaryFunctions: [string, (a: Operand, b: Operand) => Tensor][] = [
  ['add', add],
  ['pointwise add', (a, b) => apply('pointwise', { a, b }, { fn: 'add', alpha: 0, beta: 0 }).y!],
  ['sub', sub],
  ['mul', mul],
  ['div', div],
  ['max', maximum],
  ['min', minimum],
  ['mul by gt', (a, b) => mul(a, apply('pointwise', { a, b }, { fn: 'gt', alpha: 0, beta: 0 }).y!)],
]

const binary = binaryFunctions.flatMap(([name, f]) =>
  broadcasts.map(([a, b]): Differentiable => {
    // Of all that max, min and gt compare, no two are equal.
    const all = distinct(sizeOf(a) + sizeOf(b)).data
    const [first, second] = [
      { shape: a, data: all.slice(0, sizeOf(a)) },
      { shape: b, data: all.slice(sizeOf(a)) },
    ]
    return {
      name: `${name}, [${a.join(', ')}] and [${b.join(', ')}]`,
      parameters: name === 'div' ? { a: first, b: positive(...b) } : { a: first, b: second },
      build: p => f(p.a!, p.b!),
    }
  }),
)

const reductions = ([['sum', sum], ['mean', mean], ['max', max]] as const).flatMap(([name, f]) =>
  [undefined, [0], [-1], [0, 2]].map(axes => unaryOf(`${name} over ${axes?.join(', ') ?? 'all'}`, distinct(2, 3, 4), x => f(x, axes))),
) // prettier-ignore

const shapes: Differentiable[] = [
  unaryOf('relu', apart(0.5, 4, 3), relu),
  unaryOf('slice', smooth(2, 3, 4), x => slice(x, [1, 0, 1], [1, 2, 3])),
  unaryOf('reshape', smooth(2, 3, 4), x => reshape(x, [4, -1])),
  unaryOf('flatten', smooth(2, 3, 2, 1), flatten),
  unaryOf('cast', smooth(5), x => apply('cast', { x }, {}, { y: { dtype: 'f32', shape: [5] } }).y!),
  {
    name: 'concat',
    parameters: { a: smooth(2, 3, 2), b: smooth(2, 3, 1), c: smooth(2, 3, 3) },
    build: p => concat([p.a!, p.b!, p.c!]),
  },
  { name: 'concat along axis 0', parameters: { a: smooth(2, 3), b: smooth(1, 3) }, build: p => concat([p.a!, p.b!], 0) },
  {
    name: 'scaleSamples',
    parameters: { x: smooth(3, 2, 2) },
    constants: { scale: f32(0.5, 0, 2) },
    build: (p, c) => scaleSamples(p.x!, c.scale!),
  },
  unaryOf('dropout', smooth(5, 8), x => dropout(affine(x, 1, 0), 0.4)),
]

const statistics = { runningMean: f32(0.25, -0.5), runningVariance: f32(1.5, 0.75) }

/** Batch norm of x, + residual, relu: with the statistics of the batch, and with given ones. */
const norms = [false, true].flatMap(frozen =>
  [false, true].flatMap(residual =>
    (['identity', 'relu'] as const).map((activation: Activation): Differentiable => ({
      name: ['batchNorm', frozen && 'frozen', residual && 'residual', activation].filter(part => part).join(', '),
      parameters: {
        x: activation === 'relu' ? apart(1, 2, 3, 2, 2) : smooth(2, 3, 2, 2),
        gamma: positive(2),
        beta: f32(0.125, frozen ? 0.125 : -0.125),
        ...(residual && { residual: activation === 'relu' ? filled([2, 3, 2, 2], i => (i % 3 ? 5 : -5)) : smooth(2, 3, 2, 2) }),
      },
      statistics,
      build: p => {
        const { gamma, beta, runningMean, runningVariance } = p
        const normal = batchNorm(p.x!, { gamma: gamma!, beta: beta!, runningMean: runningMean!, runningVariance: runningVariance! }, { frozen })
        const sum = residual ? add(p.residual!, normal) : normal
        return activation === 'relu' ? relu(sum) : sum
      },
    })),
  ),
) // prettier-ignore

const flatNorm: Differentiable = {
  name: 'batchNorm of flat features',
  parameters: { x: smooth(5, 2), gamma: positive(2), beta: smooth(2) },
  statistics,
  build: p =>
    batchNorm(p.x!, { gamma: p.gamma!, beta: p.beta!, runningMean: p.runningMean!, runningVariance: p.runningVariance! }),
}

type Geometry = Omit<Conv2dOptions, 'bias' | 'residual' | 'activation'>
const convolutions: { name: string; x: Shape; w: Shape; y: Shape; geometry: Geometry }[] = [
  { name: '3x3', x: [2, 3, 3, 2], w: [3, 3, 3, 2], y: [2, 3, 3, 3], geometry: { padding: 1 } },
  { name: 'stride 2', x: [1, 5, 4, 2], w: [2, 3, 3, 2], y: [1, 3, 2, 2], geometry: { stride: 2, padding: 1 } },
  { name: 'padding of four sides', x: [1, 4, 3, 2], w: [2, 2, 3, 2], y: [1, 2, 3, 2], geometry: { padding: [0, 1, 2, 0], stride: [2, 1] } },
  { name: 'dilation', x: [1, 5, 6, 1], w: [2, 3, 2, 1], y: [1, 3, 5, 2], geometry: { dilation: [2, 3], padding: 1 } },
  { name: 'groups', x: [1, 3, 3, 4], w: [4, 2, 2, 2], y: [1, 2, 2, 4], geometry: { groups: 2 } },
  { name: 'depthwise', x: [1, 3, 3, 3], w: [6, 2, 2, 1], y: [1, 4, 4, 6], geometry: { groups: 3, padding: 1 } },
  { name: '1x1, stride 2', x: [2, 3, 3, 3], w: [2, 1, 1, 3], y: [2, 2, 2, 2], geometry: { stride: 2 } },
] // prettier-ignore

/** In the second form the residual decides on which side of relu a value is. */
const convolutionCases = convolutions.flatMap(({ name, x, w, y, geometry }): Differentiable[] => {
  const parameters = { x: smooth(...x), w: smooth(...w) }
  return [
    { name: `conv2d, ${name}`, parameters, build: p => conv2d(p.x!, p.w!, geometry) },
    {
      name: `conv2d, ${name}, bias, residual, relu`,
      parameters: { ...parameters, bias: smooth(w[0]!), residual: filled(y, i => (i % 3 ? 20 : -20)) },
      build: p => conv2d(p.x!, p.w!, { ...geometry, bias: p.bias!, residual: p.residual!, activation: 'relu' }),
    },
  ]
})

const layers: Differentiable[] = [
  { name: 'linear', parameters: { x: smooth(3, 4), w: smooth(2, 4), b: smooth(2) }, build: p => linear(p.x!, p.w!, p.b) },
  unaryOf('maxPool', distinct(1, 4, 4, 2), x => maxPool2d(x, { kernel: 2 })),
  unaryOf('maxPool, overlapping, padded', distinct(1, 5, 4, 2), x =>
    maxPool2d(x, { kernel: 3, stride: 2, padding: [1, 0, 1, 1] }),
  ),
  unaryOf('avgPool', smooth(1, 4, 4, 2), x => avgPool2d(x, { kernel: 2 })),
  ...[true, false].map(countIncludePad =>
    unaryOf(`avgPool, overlapping, padded, ${countIncludePad ? 'with' : 'without'} padding`, smooth(1, 5, 4, 2), x =>
      avgPool2d(x, { kernel: 3, stride: 2, padding: [1, 0, 1, 1], countIncludePad }),
    ),
  ),
  unaryOf('globalAvgPool', smooth(2, 2, 3, 2), globalAvgPool),
  unaryOf('shortcutA', smooth(2, 3, 4, 2), x => shortcutA(x, 5, 2)),
]

const labels = i32(2, -1, 4, 0)
const mixed = { labels2: i32(1, 3, 4, 2), lambda: f32(0.25, 0.5, 1, 0.75) }
const losses = [0, 0.1].flatMap(labelSmoothing =>
  [false, true].flatMap(mix =>
    [false, true].map((isLoss): Differentiable => ({
      name: `crossEntropy, smoothing ${labelSmoothing}${mix ? ', two label sets' : ''}${isLoss ? ', as the loss' : ''}`,
      parameters: { logits: smooth(4, 5) },
      constants: { labels, ...(mix && mixed) },
      build: (p, c) => {
        const logits = affine(p.logits!, 1, 0)
        return crossEntropy(logits, c.labels!, { labelSmoothing, ...(mix && { mix: { labels2: c.labels2!, lambda: c.lambda! } }) })
      },
      isLoss,
    })),
  ),
) // prettier-ignore

/** Gradients that meet: at a value used twice, at a parameter used by two layers; and none at all. */
const meetings: Differentiable[] = [
  unaryOf('x used as both operands', smooth(5), x => mul(x, x)),
  unaryOf('x + x', smooth(5), x => add(x, x)),
  unaryOf('x concatenated with itself', smooth(2, 3), x => concat([x, x])),
  unaryOf('a value used three times', smooth(4), x => {
    const y = exp(x)
    return add(mul(y, x), div(y, add(square(y), 1)))
  }),
  {
    name: 'a filter shared by two convolutions',
    parameters: { x: smooth(1, 3, 3, 2), w: smooth(2, 3, 3, 2) },
    build: p => conv2d(conv2d(p.x!, p.w!, { padding: 1 }), p.w!, { padding: 1 }),
  },
  {
    name: 'a shortcut around a convolution',
    parameters: { x: smooth(1, 3, 3, 2), w: smooth(2, 3, 3, 2) },
    build: p => add(conv2d(p.x!, p.w!, { padding: 1 }), p.x!),
  },
  { name: 'a parameter without use', parameters: { x: smooth(3), unused: smooth(2) }, build: p => tanh(p.x!) },
  { name: 'the loss of a parameter alone', parameters: { x: smooth(3) }, build: p => sum(p.x!), isLoss: true },
]

export const gradientCases: readonly Differentiable[] = [
  ...unary,
  ...binary,
  ...reductions,
  ...shapes,
  ...norms,
  flatNorm,
  ...convolutionCases,
  ...layers,
  ...losses,
  ...meetings,
]
