/** Cases of convolution, its gradients, and the gradient of the bias. */
import type { Attributes } from '../../../src/graph/graph.js'
import type { Shape } from '../../../src/runtime/dtype.js'
import type { Case, Example } from './case.js'
import { sizeOf, type Draw } from './draw.js'

export interface Geometry {
  readonly name: string
  readonly x: Shape
  /** K, R, S */
  readonly filters: Shape
  readonly stride?: Shape
  readonly pad?: Shape
  readonly dilation?: Shape
  readonly groups?: number
}

const same = [1, 1, 1, 1]

export const geometries: readonly Geometry[] = [
  { name: '3x3', x: [2, 8, 8, 16], filters: [16, 3, 3], pad: same },
  { name: '3x3, five images', x: [5, 6, 6, 16], filters: [32, 3, 3], pad: same },
  { name: '3x3, stride 2', x: [2, 8, 8, 16], filters: [32, 3, 3], stride: [2, 2], pad: same },
  { name: '3x3, stride 2, odd size', x: [3, 9, 7, 16], filters: [32, 3, 3], stride: [2, 2], pad: same },
  { name: '3x3, one image, 64 channels', x: [1, 4, 4, 64], filters: [64, 3, 3], pad: same },
  { name: '3x3 on a single pixel', x: [2, 1, 1, 8], filters: [8, 3, 3], pad: same },
  { name: '3x3, stride [1, 2]', x: [2, 5, 8, 4], filters: [6, 3, 3], stride: [1, 2] },
  { name: '1x1', x: [2, 5, 7, 10], filters: [12, 1, 1] },
  { name: '1x1, stride 2', x: [2, 7, 7, 16], filters: [32, 1, 1], stride: [2, 2] },
  { name: '1x1, 36 to 10 channels', x: [3, 5, 5, 36], filters: [10, 1, 1] },
  { name: '1x1 on a single pixel (linear)', x: [5, 1, 1, 64], filters: [10, 1, 1] },
  { name: '7x7, stride 2', x: [1, 23, 21, 3], filters: [16, 7, 7], stride: [2, 2], pad: [3, 3, 3, 3] },
  { name: '5x5 over the whole image', x: [3, 5, 5, 6], filters: [10, 5, 5] },
  { name: 'padding of four sides', x: [2, 6, 7, 4], filters: [5, 3, 4], pad: [0, 1, 2, 1] },
  { name: 'padding of four sides, stride 2', x: [3, 7, 6, 16], filters: [16, 3, 3], stride: [2, 2], pad: [0, 1, 1, 0] },
  { name: 'padding larger than the filter', x: [2, 4, 4, 3], filters: [4, 2, 2], pad: [2, 3, 3, 2] },
  { name: 'dilation 2', x: [2, 9, 9, 8], filters: [8, 3, 3], pad: [2, 2, 2, 2], dilation: [2, 2] },
  { name: 'dilation [1, 3], 2x3', x: [2, 6, 9, 10], filters: [7, 2, 3], pad: [0, 0, 3, 3], dilation: [1, 3] },
  { name: 'dilation 2, stride 2', x: [2, 9, 8, 16], filters: [16, 3, 3], stride: [2, 2], pad: [1, 2, 2, 1], dilation: [2, 2] },
  { name: '2 groups', x: [2, 6, 6, 16], filters: [32, 3, 3], pad: same, groups: 2 },
  { name: '4 groups of 9 channels', x: [2, 6, 5, 36], filters: [12, 3, 3], pad: same, groups: 4 },
  { name: 'depthwise', x: [3, 7, 7, 16], filters: [16, 3, 3], pad: same, groups: 16 },
  {
    name: 'depthwise, twice as many filters, stride 2',
    x: [2, 7, 7, 8],
    filters: [16, 3, 3],
    stride: [2, 2],
    pad: same,
    groups: 8,
  },
  { name: '1 channel', x: [3, 8, 8, 1], filters: [8, 3, 3], pad: same },
  { name: '3 channels', x: [2, 8, 8, 3], filters: [16, 3, 3], pad: same },
  { name: '10 channels', x: [2, 7, 5, 10], filters: [10, 3, 3], pad: same },
  { name: '36 channels', x: [2, 6, 6, 36], filters: [36, 3, 3], pad: same },
  { name: 'one filter', x: [2, 6, 6, 8], filters: [1, 3, 3], pad: same },
  { name: 'rows and columns that no window reaches', x: [2, 8, 8, 5], filters: [4, 2, 2], stride: [3, 3] },
]

/** All shapes and attributes of one geometry. */
export function layout({ x, filters, stride = [1, 1], pad = [0, 0, 0, 0], dilation = [1, 1], groups = 1 }: Geometry) {
  const [n, h, w, c] = x as [number, number, number, number]
  const [k, r, s] = filters as [number, number, number]
  const windows = (size: number, before: number, after: number, kernel: number, step: number, gap: number) =>
    Math.floor((size + before + after - gap * (kernel - 1) - 1) / step) + 1
  const y = [
    n,
    windows(h, pad[0]!, pad[1]!, r, stride[0]!, dilation[0]!),
    windows(w, pad[2]!, pad[3]!, s, stride[1]!, dilation[1]!),
    k,
  ]
  return { x, w: [k, r, s, c / groups], y, k, r, s, groups, attributes: { stride, pad, dilation, groups } satisfies Attributes }
}

interface Extras {
  readonly bias?: boolean
  readonly residual?: boolean
  readonly activation?: 'identity' | 'relu'
}

function forward(geometry: Geometry, { bias = false, residual = false, activation = 'identity' }: Extras): Case {
  const { x, w, y, k, attributes } = layout(geometry)
  const parts = [bias && 'bias', residual && 'residual', activation === 'relu' && 'relu'].filter(part => part !== false)
  const make = (draw: Draw): Example => ({
    inputs: {
      x: draw.values(x),
      w: draw.values(w),
      ...(bias && { bias: draw.values([k]) }),
      ...(residual && { residual: draw.values(y) }),
    },
    attributes: { ...attributes, activation },
  })
  return { op: 'conv2d', name: [geometry.name, ...parts].join(', '), make, terms: sizeOf(w) / k + 2 }
}

function backwardData(geometry: Geometry, withAddend: boolean): Case {
  const { x, w, y, k, r, s, groups, attributes } = layout(geometry)
  const make = (draw: Draw): Example => ({
    inputs: { dy: draw.values(y), w: draw.values(w), ...(withAddend && { addend: draw.values(x) }) },
    attributes,
    outputs: { dx: { shape: x } },
  })
  return { op: 'conv2dBwdData', name: geometry.name + (withAddend ? ', addend' : ''), make, terms: (k / groups) * r * s + 1 }
}

function backwardFilter(geometry: Geometry): Case {
  const { x, w, y, k, attributes } = layout(geometry)
  const make = (draw: Draw): Example => ({
    inputs: { dy: draw.values(y), x: draw.values(x) },
    attributes,
    outputs: { dw: { shape: w } },
  })
  return { op: 'conv2dBwdFilter', name: geometry.name, make, terms: sizeOf(y) / k }
}

const yesAndNo = [false, true]
const allExtras: Extras[] = yesAndNo.flatMap(bias =>
  yesAndNo.flatMap(residual => (['identity', 'relu'] as const).map(activation => ({ bias, residual, activation }))),
)

const biasShapes: Shape[] = [
  [4, 10],
  [2, 5, 5, 16],
  [1, 7, 3, 3],
  [3, 4, 4, 36],
  [5, 6, 1],
  [8, 32, 32, 20],
]

/** The convolution and its gradients in some geometries; the first with every combination of what is fused. */
export const convolutionCasesOf = ([first, ...others]: readonly Geometry[]): readonly Case[] => [
  ...allExtras.map(extras => forward(first!, extras)),
  ...others.flatMap(geometry => [{}, { bias: true, residual: true, activation: 'relu' } as const].map(e => forward(geometry, e))),
  ...[first!, ...others].flatMap(geometry => [
    backwardData(geometry, false),
    backwardData(geometry, true),
    backwardFilter(geometry),
  ]),
]

export const convolutionCases: readonly Case[] = [
  ...convolutionCasesOf(geometries),
  ...biasShapes.map((shape): Case => ({
    op: 'biasBwd',
    name: `[${shape.join(', ')}]`,
    make: draw => ({ inputs: { dy: draw.values(shape) } }),
    terms: sizeOf(shape) / shape.at(-1)!,
  })),
]
