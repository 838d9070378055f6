import { elementsOf, f32, formatShape, sameShape, type Tensor, type TensorType } from '../tensor.js'
import { floats, number, numbers, operand, reject, requireShape, sizeOf, type Rule } from './rule.js'

const like =
  (read: string, write: string): NonNullable<Rule['shape']> =>
  call => ({ [write]: f32(operand(call, read).shape) })

const relu: Rule = {
  doc: 'y = max(x, 0)',
  shape: like('x', 'y'),
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('reluBwd', { dy: g.arrived('y'), y: g.write('y') }, {}, { dx: g.read('x') }).dx!)
  },
}

const add: Rule = {
  doc: 'y = a + b, same shapes',
  shape(call) {
    const [a, b] = [operand(call, 'a'), operand(call, 'b')]
    if (!sameShape(a.shape, b.shape)) reject(call, `shapes differ: ${a.toString()} and ${b.toString()}`)
    return { y: f32(a.shape) }
  },
  gradient(g) {
    if (g.needs('a')) g.give('a', g.arrived('y'))
    if (g.needs('b')) g.give('b', g.arrived('y'))
  },
}

const concat: Rule = {
  doc: 'the inputs one after the other along an axis',
  shape(call) {
    const inputs = Object.values(call.reads).filter((tensor): tensor is Tensor => tensor !== undefined)
    const [first] = inputs
    if (!first) reject(call, 'needs at least one input')
    const axis = number(call.attributes, 'axis')
    const fits = (t: Tensor) =>
      t.shape.length === first.shape.length && t.shape.every((dim, i) => i === axis || dim === first.shape[i])
    for (const tensor of inputs)
      if (!fits(tensor)) reject(call, `${tensor.toString()} does not fit ${first.toString()} along axis ${axis}`)
    const total = inputs.reduce((sum, tensor) => sum + tensor.shape[axis]!, 0)
    return { y: f32(first.shape.map((dim, i) => (i === axis ? total : dim))) }
  },
  gradient(g) {
    const axis = number(g.node.attributes, 'axis')
    const dy = g.arrived('y')
    let at = 0
    for (const [name, input] of Object.entries(g.node.reads)) {
      if (!input) continue
      const begin = dy.shape.map((_, i) => (i === axis ? at : 0))
      if (g.needs(name)) g.give(name, g.add('slice', { x: dy }, { begin }, { y: input }).y!)
      at += input.shape[axis]!
    }
  },
}

const slice: Rule = {
  doc: 'a box of x that starts at `begin`',
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('sliceBwd', { dy: g.arrived('y') }, g.node.attributes, { dx: g.read('x') }).dx!)
  },
  touches: use => ({ x: sizeOf(use, 'y') }),
}

const dropout: Rule = {
  doc: 'zeroes elements with probability p and scales the others by 1/(1-p)',
  shape(call) {
    const p = number(call.attributes, 'p')
    if (!(p >= 0 && p < 1)) reject(call, `p must be in [0, 1), got ${p}`)
    return like('x', 'y')(call)
  },
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('dropoutBwd', { dy: g.arrived('y') }, g.node.attributes, { dx: g.read('x') }).dx!)
  },
}

const scaleSamples: Rule = {
  doc: 'y[n] = x[n] scale[n]',
  shape(call) {
    const x = operand(call, 'x')
    requireShape(call, 'scale', [x.shape[0] ?? 1], 'one a sample')
    return { y: f32(x.shape) }
  },
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('scaleSamples', { x: g.arrived('y'), scale: g.read('scale') }).y!)
  },
}

const reshape: Rule = {
  doc: 'the same elements under another shape; costs nothing',
  gradient(g) {
    if (g.needs('x')) g.give('x', g.add('reshape', { x: g.arrived('y') }, {}, { y: g.read('x') }).y!)
  },
}

const reduce: Rule = {
  doc: 'sum, mean or max over axes; reduced dimensions stay as 1',
  shape(call) {
    const x = floats(call, 'x')
    const axes = numbers(call.attributes, 'axes')
    for (const axis of axes) if (!(axis in x.shape)) reject(call, `axis ${axis} does not exist in ${x.toString()}`)
    return { y: f32(x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))) }
  },
  gradient(g) {
    if (!g.needs('x')) return
    const [x, y, dy] = [g.read('x'), g.write('y'), g.arrived('y')]
    const pointwise = (fn: string, a: Tensor, b?: Tensor, alpha = 0) => g.add('pointwise', { a, b }, { fn, alpha, beta: 0 }).y!
    if (g.node.attributes.fn === 'max') {
      // Ties share the gradient evenly.
      const hit = pointwise('eq', x, y)
      const ties = g.add('reduce', { x: hit }, { fn: 'sum', axes: g.node.attributes.axes! }).y!
      g.give('x', pointwise('mul', hit, pointwise('div', dy, ties)))
      return
    }
    const share = g.node.attributes.fn === 'mean' ? y.size / x.size : 1
    const zeros = g.add('fill', {}, { value: 0 }, { y: x }).y!
    g.give('x', pointwise('add', share === 1 ? dy : pointwise('affine', dy, undefined, share), zeros))
  },
}

const cast: Rule = {
  doc: 'y = x in another element type (or a copy)',
  gradient(g) {
    if (g.needs('x') && g.read('x').dtype === 'f32') g.give('x', g.arrived('y'))
  },
}

/** NumPy broadcasting of two shapes of the same rank. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  if (a.length !== b.length) return undefined
  const shape = a.map((dim, axis) => (dim === 1 ? b[axis]! : dim))
  return shape.every((dim, axis) => b[axis] === dim || b[axis] === 1) ? shape : undefined
}

export function broadcastType(a: Tensor, b: Tensor | undefined): TensorType | undefined {
  const shape = b ? broadcast(a.shape, b.shape) : a.shape
  return shape && f32(shape)
}

export const elementwise = {
  relu,
  reluBwd: { doc: 'dx = y > 0 ? dy : 0', shape: like('dy', 'dx') } satisfies Rule,
  add,
  concat,
  slice,
  sliceBwd: { doc: 'gradient of slice' } satisfies Rule,
  dropout,
  dropoutBwd: { doc: 'gradient of dropout: the same elements', shape: like('dy', 'dx') } satisfies Rule,
  scaleSamples,
  reshape,
  reduce,
  cast,
  fill: { doc: 'every element = value' } satisfies Rule,
  sum: {
    doc: 'adds up over the microbatches of a step',
    shape(call) {
      const [x, total] = [operand(call, 'x'), operand(call, 'total')]
      if (elementsOf(x.shape) !== elementsOf(total.shape))
        reject(call, `sizes differ: ${formatShape(x.shape)}, ${formatShape(total.shape)}`)
      return { total }
    },
  } satisfies Rule,
}
