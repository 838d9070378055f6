/** Cases of pooling, the parameter-free shortcut, and their gradients. */
import type { HostTensor, Shape } from '../../../src/runtime/dtype.js'
import type { Case } from './case.js'
import { sizeOf, type Draw } from './draw.js'

interface Window {
  readonly name: string
  readonly x: Shape
  readonly kernel: Shape
  readonly stride?: Shape
  readonly pad?: Shape
}

const windows: Window[] = [
  { name: '2x2', x: [2, 8, 8, 16], kernel: [2, 2] },
  { name: '2x2, odd size', x: [3, 7, 5, 10], kernel: [2, 2] },
  { name: '3x3, stride 2, pad 1', x: [2, 9, 9, 36], kernel: [3, 3], stride: [2, 2], pad: [1, 1, 1, 1] },
  { name: '3x3, stride 1, pad 1, 1 channel', x: [1, 5, 6, 1], kernel: [3, 3], stride: [1, 1], pad: [1, 1, 1, 1] },
  { name: '3x2, stride [1, 2], 3 channels', x: [5, 6, 7, 3], kernel: [3, 2], stride: [1, 2] },
  { name: 'padding of four sides', x: [2, 6, 7, 8], kernel: [3, 3], stride: [2, 2], pad: [1, 0, 0, 2] },
  { name: '4x4, stride 1, padding of four sides', x: [2, 5, 5, 4], kernel: [4, 4], stride: [1, 1], pad: [2, 1, 3, 0] },
  { name: 'rows and columns that no window reaches', x: [2, 8, 8, 5], kernel: [2, 2], stride: [3, 3] },
  { name: '256 positions', x: [1, 16, 16, 2], kernel: [16, 16] },
  { name: 'large', x: [4, 16, 16, 64], kernel: [3, 3], stride: [2, 2], pad: [1, 1, 1, 1] },
]

function layout({ x, kernel, stride = kernel, pad = [0, 0, 0, 0] }: Window) {
  const count = (axis: 0 | 1) =>
    Math.floor((x[axis + 1]! + pad[2 * axis]! + pad[2 * axis + 1]! - kernel[axis]!) / stride[axis]!) + 1
  return { x, y: [x[0]!, count(0), count(1), x[3]!], kernel, stride, pad, attributes: { kernel, stride, pad } }
}

/** A maximum for each window: a position inside the image. */
function argmax(draw: Draw, window: Window): HostTensor {
  const { x, y, kernel, stride, pad } = layout(window)
  const [, height, width, channels] = y as [number, number, number, number]
  const random = draw.bytes(255, y)
  const inside = (axis: 0 | 1, at: number, offset: number) => {
    const position = at * stride[axis]! + offset - pad[2 * axis]!
    return position >= 0 && position < x[axis + 1]!
  }
  const data = random.data.map((number, e) => {
    const column = Math.floor(e / channels) % width
    const row = Math.floor(e / channels / width) % height
    const taps = Array.from({ length: sizeOf(kernel) }, (_, tap) => tap).filter(
      tap => inside(0, row, Math.floor(tap / kernel[1]!)) && inside(1, column, tap % kernel[1]!),
    )
    return taps[number % taps.length]!
  })
  return { shape: y, data }
}

const isPowerOf2 = (n: number) => Number.isInteger(Math.log2(n))

function maximum(window: Window): Case[] {
  const { x, y, attributes } = layout(window)
  return [
    { op: 'maxPool', name: window.name, make: draw => ({ inputs: { x: draw.values(x) }, attributes }) },
    {
      op: 'maxPool',
      name: `${window.name}, argmax`,
      make: draw => ({ inputs: { x: draw.values(x) }, attributes, outputs: { argmax: { shape: y, dtype: 'u8' } } }),
    },
    {
      op: 'maxPoolBwd',
      name: window.name,
      make: draw => ({
        inputs: { dy: draw.values(y), argmax: argmax(draw, window) },
        attributes,
        outputs: { dx: { shape: x } },
      }),
      terms: sizeOf(window.kernel),
    },
  ]
}

function average(window: Window, countIncludePad: 0 | 1): Case[] {
  const { x, y, pad, kernel, attributes: geometry } = layout(window)
  const attributes = { ...geometry, countIncludePad }
  const name = `${window.name}, ${countIncludePad ? 'with' : 'without'} padding`
  const common = {
    name,
    terms: sizeOf(kernel),
    exact: isPowerOf2(sizeOf(kernel)) && (countIncludePad === 1 || !pad.some(p => p)),
  }
  return [
    { ...common, op: 'avgPool', make: draw => ({ inputs: { x: draw.values(x) }, attributes }) },
    {
      ...common,
      op: 'avgPoolBwd',
      make: draw => ({ inputs: { dy: draw.values(y) }, attributes, outputs: { dx: { shape: x } } }),
    },
  ]
}

/** The first of equal values, and the first NaN, in row-major order. */
const edges: Case = {
  op: 'maxPool',
  name: 'ties and NaN',
  make: () => ({
    inputs: { x: { shape: [1, 2, 8, 1], data: Float32Array.of(1, 1, NaN, 2, 3, NaN, -Infinity, -Infinity, 1, 1, 5, NaN, NaN, 4, -Infinity, -Infinity) } },
    attributes: { kernel: [2, 2], stride: [2, 2], pad: [0, 0, 0, 0] },
    outputs: { argmax: { shape: [1, 1, 4, 1], dtype: 'u8' } },
  }),
  nonFinite: true,
} // prettier-ignore

const globalShapes: Shape[] = [
  [2, 8, 8, 16],
  [1, 7, 5, 3],
  [3, 1, 1, 10],
  [4, 16, 16, 64],
  [5, 4, 2, 36],
]

const globals = globalShapes.flatMap((x): Case[] => {
  const [n, h, w, c] = x as [number, number, number, number]
  const common = { name: `[${x.join(', ')}]`, terms: h * w, exact: isPowerOf2(h * w) }
  return [
    { ...common, op: 'globalAvgPool', make: draw => ({ inputs: { x: draw.values(x) } }) },
    {
      ...common,
      op: 'globalAvgPoolBwd',
      make: draw => ({ inputs: { dy: draw.values([n, c]) }, outputs: { dx: { shape: x } } }),
    },
  ]
})

const shortcuts: { x: Shape; stride: Shape; channels: number }[] = [
  { x: [2, 8, 8, 16], stride: [2, 2], channels: 32 },
  { x: [3, 7, 5, 3], stride: [2, 1], channels: 10 },
  { x: [1, 7, 7, 10], stride: [2, 2], channels: 10 },
  { x: [2, 4, 4, 4], stride: [1, 1], channels: 4 },
  { x: [4, 5, 4, 1], stride: [3, 3], channels: 36 },
  { x: [4, 32, 32, 16], stride: [2, 2], channels: 32 },
]

const shortcutCases = shortcuts.flatMap(({ x, stride, channels }): Case[] => {
  const y = [x[0]!, Math.ceil(x[1]! / stride[0]!), Math.ceil(x[2]! / stride[1]!), channels]
  const name = `[${x.join(', ')}], stride [${stride.join(', ')}], ${channels} channels`
  return [
    {
      op: 'shortcutA',
      name,
      make: draw => ({ inputs: { x: draw.values(x) }, attributes: { stride }, outputs: { y: { shape: y } } }),
    },
    {
      op: 'shortcutABwd',
      name,
      make: draw => ({ inputs: { dy: draw.values(y) }, attributes: { stride }, outputs: { dx: { shape: x } } }),
    },
  ]
})

export const poolingCases: readonly Case[] = [
  ...windows.flatMap(window => [...maximum(window), ...average(window, 0), ...average(window, 1)]),
  edges,
  ...globals,
  ...shortcutCases,
]
