import { elementsOf, f32, type Shape, type TensorType } from '../tensor.js'
import { numbers, reject, requireRank, slideOver, type Call, type Rule } from './rule.js'

function pooled(call: Call): Shape {
  const x = requireRank(call, 'x', 4, '[N, H, W, C]')
  const [h = 1, w = 1] = numbers(call.attributes, 'kernel')
  const [top = 0, bottom = 0, left = 0, right = 0] = numbers(call.attributes, 'pad')
  if (top >= h || bottom >= h || left >= w || right >= w) {
    reject(call, `padding ${[top, bottom, left, right].join(',')} must be smaller than the window ${h}x${w}`)
  }
  const [height, width] = slideOver(call, x, [h, w])
  return [x.shape[0]!, height, width, x.shape[3]!]
}

const maxPool: Rule = {
  doc: 'maximum over windows',
  shape(call) {
    const [h = 1, w = 1] = numbers(call.attributes, 'kernel')
    if (h * w > 256) reject(call, `the window ${h}x${w} has more than 256 positions: use a smaller kernel`)
    return { y: f32(pooled(call)) }
  },
  gradient(g) {
    if (!g.needs('x')) return
    const argmax = g.write('argmax', { dtype: 'u8', shape: g.write('y').shape })
    g.give('x', g.add('maxPoolBwd', { dy: g.arrived('y'), argmax }, g.node.attributes, { dx: g.read('x') }).dx!)
  },
}

const avgPool: Rule = {
  doc: 'mean over windows',
  shape: call => ({ y: f32(pooled(call)) }),
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('avgPoolBwd', { dy: g.arrived('y') }, g.node.attributes, { dx: g.read('x') }).dx!)
  },
}

const globalAvgPool: Rule = {
  doc: 'mean over height and width: [N, H, W, C] to [N, C]',
  shape(call) {
    const { shape } = requireRank(call, 'x', 4, '[N, H, W, C]')
    return { y: f32([shape[0]!, shape[3]!]) }
  },
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('globalAvgPoolBwd', { dy: g.arrived('y') }, {}, { dx: g.read('x') }).dx!)
  },
}

/** The output of shortcutA; its channel count is the caller's wish, so functions.ts calls this with it. */
export function shortcutAShape(x: Shape, stride: readonly number[], channels: number): TensorType {
  const [n = 0, h = 0, w = 0] = x
  return f32([n, Math.ceil(h / (stride[0] ?? 1)), Math.ceil(w / (stride[1] ?? 1)), channels])
}

/** Elements that a shortcut between x and y picks: all channels of x in the pixels of y. */
function picked(x: { readonly shape: Shape } | undefined, y: { readonly shape: Shape } | undefined): number {
  return elementsOf([...(y?.shape.slice(0, 3) ?? []), x?.shape[3] ?? 0])
}

const shortcutA: Rule = {
  doc: 'strided pick of pixels, new channels zero: the parameter-free shortcut of CIFAR ResNets',
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('shortcutABwd', { dy: g.arrived('y') }, g.node.attributes, { dx: g.read('x') }).dx!)
  },
  touches: ({ reads: { x }, writes: { y } }) => ({ x: picked(x, y) }),
}

export const pooling = {
  maxPool,
  maxPoolBwd: { doc: 'gradient of maxPool' } satisfies Rule,
  avgPool,
  avgPoolBwd: { doc: 'gradient of avgPool' } satisfies Rule,
  globalAvgPool,
  globalAvgPoolBwd: { doc: 'gradient of globalAvgPool' } satisfies Rule,
  shortcutA,
  shortcutABwd: {
    doc: 'gradient of shortcutA',
    touches: ({ reads: { dy }, writes: { dx } }) => ({ dy: picked(dx, dy) }),
  } satisfies Rule,
}
