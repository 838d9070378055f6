/** `pointwise`: one operation, many scalar functions, each with its derivative written in the same functions. */
import { type Tensor } from '../tensor.js'
import { broadcastType } from './elementwise.js'
import { floats, number, reject, type GradientContext, type Rule } from './rule.js'

export const unaryFunctions = ['exp', 'log', 'sqrt', 'sigmoid', 'tanh', 'abs', 'neg', 'square', 'clamp', 'affine', 'pow'] as const
export const binaryFunctions = ['add', 'sub', 'mul', 'div', 'max', 'min', 'eq', 'gt', 'clampGrad'] as const
export type UnaryFunction = (typeof unaryFunctions)[number]
export type BinaryFunction = (typeof binaryFunctions)[number]

type Apply = (fn: string, a: Tensor, b?: Tensor, alpha?: number, beta?: number) => Tensor

interface Local {
  readonly a: Tensor
  readonly b: Tensor
  readonly y: Tensor
  readonly dy: Tensor
  readonly alpha: number
  readonly beta: number
  readonly f: Apply
  zero(): Tensor
}

/** da as a function of the local values. */
const unaryGradients: Record<UnaryFunction, (v: Local) => Tensor> = {
  exp: ({ f, dy, y }) => f('mul', dy, y),
  log: ({ f, dy, a }) => f('div', dy, a),
  sqrt: ({ f, dy, y }) => f('div', f('affine', dy, undefined, 0.5), y),
  sigmoid: ({ f, dy, y }) => f('mul', dy, f('mul', y, f('affine', y, undefined, -1, 1))),
  tanh: ({ f, dy, y }) => f('mul', dy, f('affine', f('square', y), undefined, -1, 1)),
  abs: ({ f, dy, a, zero }) => f('mul', dy, f('sub', f('gt', a, zero()), f('gt', zero(), a))),
  neg: ({ f, dy }) => f('neg', dy),
  square: ({ f, dy, a }) => f('mul', dy, f('affine', a, undefined, 2)),
  clamp: ({ f, dy, a, alpha, beta }) => f('clampGrad', a, dy, alpha, beta),
  affine: ({ f, dy, alpha }) => f('affine', dy, undefined, alpha),
  pow: ({ f, dy, a, alpha }) => f('mul', dy, f('affine', f('pow', a, undefined, alpha - 1), undefined, alpha)),
}

/** The share of `first` where it is the larger of the two: 1, 0, or a half each in a tie. */
const winner = (f: Apply, first: Tensor, second: Tensor) =>
  f('add', f('gt', first, second), f('affine', f('eq', first, second), undefined, 0.5))

/** [da, db]; undefined: no gradient. */
const binaryGradients: Record<BinaryFunction, ((v: Local) => [() => Tensor, () => Tensor]) | undefined> = {
  add: ({ dy }) => [() => dy, () => dy],
  sub: ({ f, dy }) => [() => dy, () => f('neg', dy)],
  mul: ({ f, dy, a, b }) => [() => f('mul', dy, b), () => f('mul', dy, a)],
  div: ({ f, dy, b, y }) => [() => f('div', dy, b), () => f('neg', f('mul', dy, f('div', y, b)))],
  max: ({ f, dy, a, b }) => [() => f('mul', dy, winner(f, a, b)), () => f('mul', dy, winner(f, b, a))],
  min: ({ f, dy, a, b }) => [() => f('mul', dy, winner(f, b, a)), () => f('mul', dy, winner(f, a, b))],
  eq: undefined,
  gt: undefined,
  clampGrad: undefined,
}

/** Sums a gradient over the dimensions that broadcasting stretched. */
function unbroadcast(g: GradientContext, gradient: Tensor, target: Tensor): Tensor {
  const axes = target.shape.flatMap((dim, axis) => (dim === 1 && gradient.shape[axis] !== 1 ? [axis] : []))
  return axes.length === 0 ? gradient : g.add('reduce', { x: gradient }, { fn: 'sum', axes }).y!
}

export const pointwise: Rule = {
  doc: 'y = fn(a, b) element by element, NumPy broadcasting',
  shape(call) {
    const a = floats(call, 'a')
    const b = call.reads.b && floats(call, 'b')
    const fn = String(call.attributes.fn)
    const binary = (binaryFunctions as readonly string[]).includes(fn)
    if (!binary && !(unaryFunctions as readonly string[]).includes(fn)) {
      reject(call, `unknown function '${fn}': use ${[...unaryFunctions, ...binaryFunctions].join(', ')}`)
    }
    if (binary !== (b !== undefined)) reject(call, `'${fn}' takes ${binary ? 'two operands' : 'one operand'}`)
    const y = broadcastType(a, b)
    if (!y) reject(call, `shapes do not broadcast: ${a.toString()} and ${b!.toString()} (same rank; dimensions equal or 1)`)
    return { y }
  },
  gradient(g) {
    const { fn, alpha, beta } = g.node.attributes
    const f: Apply = (name, a, b, alpha = 0, beta = 0) => g.add('pointwise', { a, b }, { fn: name, alpha, beta }).y!
    const a = g.read('a')
    const local = {
      a,
      b: g.node.reads.b ?? a,
      y: g.write('y'),
      dy: g.arrived('y'),
      alpha: number({ alpha: alpha ?? 0 }, 'alpha'),
      beta: number({ beta: beta ?? 0 }, 'beta'),
      f,
      zero: () => g.add('fill', {}, { value: 0 }, { y: { dtype: 'f32', shape: a.shape.map(() => 1) } }).y!,
    } satisfies Local
    if (!g.node.reads.b) {
      if (g.needs('a')) g.give('a', unaryGradients[fn as UnaryFunction](local))
      return
    }
    const gradients = binaryGradients[fn as BinaryFunction]?.(local)
    if (!gradients) return
    if (g.needs('a')) g.give('a', unbroadcast(g, gradients[0](), local.a))
    if (g.needs('b')) g.give('b', unbroadcast(g, gradients[1](), local.b))
  },
}
