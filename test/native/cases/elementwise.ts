/** Cases of operations that work element by element, copy boxes, or reduce over axes. */
import type { HostTensor, Shape } from '../../../src/runtime/dtype.js'
import type { Case } from './case.js'
import { f32, i32, shaped, u8 } from './draw.js'

const shapes: Shape[] = [[2, 5, 5, 3], [7], [1, 1], [5, 1, 1, 10], [4, 32, 32, 20]]
const named = (shape: Shape) => `[${shape.join(', ')}]`

const plain = shapes.flatMap((shape): Case[] => [
  { op: 'relu', name: named(shape), make: draw => ({ inputs: { x: draw.values(shape) } }) },
  { op: 'reluBwd', name: named(shape), make: draw => ({ inputs: { dy: draw.values(shape), y: draw.values(shape) } }) },
  { op: 'add', name: named(shape), make: draw => ({ inputs: { a: draw.values(shape), b: draw.values(shape) } }) },
  { op: 'sum', name: named(shape), make: draw => ({ inputs: { x: draw.values(shape), total: draw.values(shape) } }) },
  {
    op: 'scaleSamples',
    name: named(shape),
    make: draw => ({ inputs: { x: draw.values(shape), scale: draw.values([shape[0]!]) } }),
  },
])

const drops = [
  { p: 0, opId: 0, seed: 1, step: 0 },
  { p: 0.5, opId: 3, seed: 2 ** 40 + 5, step: 7 },
  { p: 0.75, opId: 1, seed: 3, step: 2 ** 33 },
  { p: 0.3, opId: 2, seed: 4, step: 1 },
]

const dropouts = drops.flatMap(({ p, opId, seed, step }) =>
  shapes.flatMap((shape): Case[] => {
    const common = { name: `p ${p}, ${named(shape)}`, exact: p !== 0.3 }
    const times = { attributes: { p, opId }, seed, step }
    return [
      { ...common, op: 'dropout', make: draw => ({ inputs: { x: draw.values(shape) }, ...times }) },
      { ...common, op: 'dropoutBwd', make: draw => ({ inputs: { dy: draw.values(shape) }, ...times }) },
    ]
  }),
)

const joins: { axis: number; inputs: Shape[] }[] = [
  { axis: 3, inputs: [[2, 4, 4, 16], [2, 4, 4, 3], [2, 4, 4, 1]] },
  { axis: 3, inputs: [[2, 5, 5, 16], [2, 5, 5, 8]] },
  { axis: 0, inputs: [[1, 3, 5], [2, 3, 5]] },
  { axis: 1, inputs: [[2, 1, 4, 10], [2, 6, 4, 10]] },
  { axis: 1, inputs: [[7, 36], [7, 10]] },
  { axis: 2, inputs: [[2, 3, 4, 5]] },
] // prettier-ignore

const concats = joins.map(({ axis, inputs }): Case => ({
  op: 'concat',
  name: `axis ${axis} of ${inputs.map(named).join(' ')}`,
  make: draw => ({ inputs: Object.fromEntries(inputs.map((shape, i) => [`x${i}`, draw.values(shape)])), attributes: { axis } }),
}))

const boxes: { x: Shape; begin: Shape; size: Shape }[] = [
  { x: [2, 4, 4, 16], begin: [0, 0, 0, 5], size: [2, 4, 4, 8] },
  { x: [3, 5, 7, 3], begin: [1, 2, 0, 0], size: [2, 2, 7, 3] },
  { x: [4, 6], begin: [3, 1], size: [1, 3] },
  { x: [9], begin: [0], size: [9] },
  { x: [4, 16, 16, 36], begin: [0, 1, 2, 3], size: [4, 14, 13, 32] },
]

const slices = boxes.flatMap(({ x, begin, size }): Case[] => {
  const name = `${named(size)} at ${named(begin)} of ${named(x)}`
  return [
    { op: 'slice', name, make: draw => ({ inputs: { x: draw.values(x) }, attributes: { begin }, outputs: { y: { shape: size } } }) },
    { op: 'sliceBwd', name, make: draw => ({ inputs: { dy: draw.values(size) }, attributes: { begin }, outputs: { dx: { shape: x } } }) },
  ]
}) // prettier-ignore

/** Functions of one operand: where they are defined, and whether they are exact for small integers. */
const unary: { fn: string; positive?: boolean; alpha?: number; beta?: number; exact: boolean }[] = [
  { fn: 'exp', exact: false },
  { fn: 'log', positive: true, exact: false },
  { fn: 'sqrt', positive: true, exact: true },
  { fn: 'sigmoid', exact: false },
  { fn: 'tanh', exact: false },
  { fn: 'abs', exact: true },
  { fn: 'neg', exact: true },
  { fn: 'square', exact: true },
  { fn: 'clamp', alpha: -1, beta: 0.5, exact: true },
  { fn: 'affine', alpha: 1.5, beta: -2, exact: true },
  { fn: 'pow', positive: true, alpha: 1.5, exact: false },
  { fn: 'pow', alpha: 3, exact: false },
]

const unaries = unary.flatMap(({ fn, positive = false, alpha = 0, beta = 0, exact }) =>
  shapes.map((shape): Case => ({
    op: 'pointwise',
    name: `${fn} ${alpha} ${beta}, ${named(shape)}`,
    make: draw => ({ inputs: { a: positive ? draw.positive(shape) : draw.values(shape) }, attributes: { fn, alpha, beta } }),
    terms: 4,
    exact,
  })),
)

const binary = ['add', 'sub', 'mul', 'div', 'max', 'min', 'eq', 'gt', 'clampGrad']
const pairs: [Shape, Shape][] = [
  [[2, 3, 4, 5], [2, 3, 4, 5]],
  [[2, 3, 4, 5], [1, 1, 1, 5]],
  [[1, 1, 1, 1], [2, 3, 4, 5]],
  [[2, 1, 1, 5], [1, 3, 4, 1]],
  [[3, 1, 7], [3, 4, 1]],
  [[6], [1]],
  [[4, 32, 32, 20], [4, 1, 1, 20]],
] // prettier-ignore

const binaries = binary.flatMap(fn =>
  pairs.map(([a, b]): Case => ({
    op: 'pointwise',
    name: `${fn}, ${named(a)} and ${named(b)}`,
    make: draw => ({
      inputs: { a: draw.values(a), b: fn === 'div' ? draw.positive(b) : draw.values(b) },
      attributes: { fn, alpha: fn === 'clampGrad' ? -1 : 0, beta: fn === 'clampGrad' ? 0.5 : 0 },
    }),
  })),
)

const axesOf: { x: Shape; axes: number[] }[] = [
  { x: [2, 3, 4, 5], axes: [0, 1, 2, 3] },
  { x: [2, 4, 4, 10], axes: [1, 2] },
  { x: [3, 5, 2, 4], axes: [3] },
  { x: [4, 3, 2, 4], axes: [0, 3] },
  { x: [4, 3, 2, 4], axes: [1, 3] },
  { x: [8, 36], axes: [0] },
  { x: [5, 3], axes: [] },
  { x: [4, 32, 32, 20], axes: [0, 1, 2] },
  { x: [4, 32, 32, 20], axes: [0, 1, 2, 3] },
]

const reductions = ['sum', 'mean', 'max'].flatMap(fn =>
  axesOf.map(({ x, axes }): Case => {
    const terms = axes.reduce((product, axis) => product * x[axis]!, 1)
    return {
      op: 'reduce',
      name: `${fn} of ${named(x)} over [${axes.join(', ')}]`,
      make: draw => ({ inputs: { x: draw.values(x) }, attributes: { fn, axes } }),
      terms,
      exact: fn !== 'mean' || Number.isInteger(Math.log2(terms)),
    }
  }),
)

const fractions = f32(-3e9, -1000, -1.5, -0.5, -0.4, 0, 0.5, 1.5, 2.5, 254.5, 255.5, 256, 3e9, 7)
const casts: { name: string; x: HostTensor; dtype: 'f32' | 'i32' | 'u8' }[] = [
  { name: 'f32 to u8', x: fractions, dtype: 'u8' },
  { name: 'f32 to i32', x: fractions, dtype: 'i32' },
  { name: 'f32 to f32', x: shaped(fractions, 2, 7), dtype: 'f32' },
  { name: 'i32 to u8', x: i32(-2147483648, -1, 0, 200, 255, 256, 2147483647), dtype: 'u8' },
  { name: 'i32 to f32', x: i32(-2147483648, -5, 0, 16777217, 2147483647), dtype: 'f32' },
  { name: 'u8 to i32', x: u8(0, 1, 127, 128, 255), dtype: 'i32' },
  { name: 'u8 to f32', x: shaped(u8(0, 1, 127, 128, 255, 3), 1, 2, 3), dtype: 'f32' },
]

const castCases = casts.map(({ name, x, dtype }): Case => ({
  op: 'cast',
  name,
  make: () => ({ inputs: { x }, attributes: {}, outputs: { y: { shape: x.shape, dtype } } }),
}))

const fills = [0, -1.5].map((value): Case => ({
  op: 'fill',
  name: `${value}`,
  make: () => ({ inputs: {}, attributes: { value }, outputs: { y: { shape: [3, 7] } } }),
}))

const special = f32(NaN, Infinity, -Infinity, 0, -0, 1, -1)
const turned = f32(1, NaN, 2, NaN, 0, -1, Infinity)
const pointwiseOf = (fn: string, two: boolean): Case => ({
  op: 'pointwise',
  name: `${fn} of NaN and infinity`,
  make: () => ({ inputs: two ? { a: special, b: turned } : { a: special }, attributes: { fn, alpha: -0.5, beta: 0.5 } }),
  nonFinite: true,
})

const edges: Case[] = [
  { op: 'relu', name: 'NaN and infinity', make: () => ({ inputs: { x: special } }), nonFinite: true },
  { op: 'reluBwd', name: 'NaN and infinity', make: () => ({ inputs: { dy: turned, y: special } }), nonFinite: true },
  { op: 'add', name: 'NaN and infinity', make: () => ({ inputs: { a: special, b: turned } }), nonFinite: true },
  ...['abs', 'neg', 'square', 'clamp'].map(fn => pointwiseOf(fn, false)),
  ...['add', 'mul', 'max', 'min', 'eq', 'gt', 'clampGrad'].map(fn => pointwiseOf(fn, true)),
]

export const elementwiseCases: readonly Case[] = [
  ...plain,
  ...dropouts,
  ...concats,
  ...slices,
  ...unaries,
  ...binaries,
  ...reductions,
  ...castCases,
  ...fills,
  ...edges,
]
