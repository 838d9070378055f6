/** What the graph knows of an operation besides its operands: shape rule, gradient rule, arithmetic, one-line doc. */
import { isFloat16 } from '../../runtime/dtype.js'
import { InvalidArgument } from '../../runtime/errors.js'
import type { Attributes, GraphOp, Node, Operands } from '../graph.js'
import { elementsOf, Tensor, type Shape, type TensorType } from '../tensor.js'

export interface Rule {
  /** One line: what it computes. */
  readonly doc: string
  /** The types of the outputs. Missing where they do not follow from the inputs (most backward operations). */
  readonly shape?: (call: Call) => Record<string, TensorType>
  /** Emits the nodes of the backward pass. Missing: the operation has no gradient. */
  readonly gradient?: (g: GradientContext) => void
  /** Multiply-accumulates of one execution. */
  readonly macs?: (use: Use) => number
  /** Elements that one execution reads or writes of an operand; of those not named here, each element once. */
  readonly touches?: (use: Use) => Readonly<Record<string, number>>
}

/** The shapes of one use of an operation: a node of a graph or of a plan. */
export interface Use {
  readonly reads: Readonly<Record<string, { readonly shape: Shape } | undefined>>
  readonly writes: Readonly<Record<string, { readonly shape: Shape } | undefined>>
  readonly attributes: Attributes
}

/** Elements of an operand, whichever side it stands on; 0 where it is absent. */
export function sizeOf({ reads, writes }: Use, operand: string): number {
  const tensor = reads[operand] ?? writes[operand]
  return tensor ? elementsOf(tensor.shape) : 0
}

/** One use of an operation, as its shape rule sees it. */
export interface Call {
  readonly op: GraphOp
  readonly name: string
  readonly reads: Operands
  readonly attributes: Attributes
}

/** One node in the backward pass, as its gradient rule sees it. */
export interface GradientContext {
  readonly node: Node
  /** An operand the node reads; absent optional operands throw. */
  read(operand: string): Tensor
  /** An output of the node; made now if it is an optional one that nobody asked for yet. */
  write(operand: string, type?: TensorType): Tensor
  /** The gradient that arrived at an output. */
  arrived(operand: string): Tensor
  /** True when the gradient is the constant one at the root of the loss. */
  isOne(gradient: Tensor): boolean
  /** Does this operand exist and lead to something trained? */
  needs(operand: string): boolean
  /** Hands a gradient to an operand. */
  give(operand: string, gradient: Tensor): void
  /** Appends a node under this node's name and returns its outputs. */
  add(op: GraphOp, reads: Operands, attributes?: Attributes, writes?: Record<string, TensorType>): Record<string, Tensor>
}

export function operand(call: Call, name: string): Tensor {
  const tensor = call.reads[name]
  if (!tensor) reject(call, `needs the operand '${name}'`)
  return tensor
}

/** An operand of floats, with advice for what else callers pass to arithmetic: labels, and a number in the first place. */
export function floats(call: Call, name: string): Tensor {
  const tensor: unknown = operand(call, name)
  if (!(tensor instanceof Tensor)) {
    reject(
      call,
      `${name} must be a tensor, got ${String(tensor)}; a number can only be the second operand, and 1 - x is affine(x, -1, 1)`,
    )
  }
  if (tensor.dtype === 'f32' || isFloat16(tensor.dtype)) return tensor
  const advice = tensor.dtype === 'i32' ? '; labels become f32 with oneHot(labels, classes)' : ''
  reject(call, `${name} must be f32, got ${tensor.toString()}${advice}`)
}

/** Throws InvalidArgument with the layer's name and the operation in front. */
export function reject(call: Call, problem: string): never {
  throw new InvalidArgument(`${call.name || 'top level'} (${call.op}): ${problem}`)
}

export function requireRank(call: Call, name: string, rank: number, layout: string): Tensor {
  const tensor = operand(call, name)
  if (tensor.shape.length !== rank) reject(call, `${name} must be ${layout}, got ${tensor.toString()}`)
  return tensor
}

export function requireShape(call: Call, name: string, shape: readonly number[], meaning: string): void {
  const tensor = call.reads[name]
  if (tensor && (tensor.shape.length !== shape.length || tensor.shape.some((dim, axis) => dim !== shape[axis]))) {
    reject(call, `${name} must have shape [${shape.join(', ')}] (${meaning}), got [${tensor.shape.join(', ')}]`)
  }
}

export function numbers(attributes: Attributes, name: string): readonly number[] {
  const value = attributes[name]
  if (!Array.isArray(value)) throw new InvalidArgument(`attribute '${name}' must be a list of numbers`)
  return value as readonly number[]
}

export function number(attributes: Attributes, name: string): number {
  const value = attributes[name]
  if (typeof value !== 'number') throw new InvalidArgument(`attribute '${name}' must be a number`)
  return value
}

/** Size of one spatial dimension after a window slid over it. */
export function slide(size: number, window: number, stride: number, before: number, after: number, dilation = 1): number {
  return Math.floor((size + before + after - dilation * (window - 1) - 1) / stride) + 1
}

/** [H, W] after a window of the node's attributes slid over x. */
export function slideOver(call: Call, x: Tensor, window: readonly [number, number], dilation: readonly number[] = [1, 1]) {
  const [strideH = 1, strideW = 1] = numbers(call.attributes, 'stride')
  const [top = 0, bottom = 0, left = 0, right = 0] = numbers(call.attributes, 'pad')
  const height = slide(x.shape[1] ?? 0, window[0], strideH, top, bottom, dilation[0])
  const width = slide(x.shape[2] ?? 0, window[1], strideW, left, right, dilation[1])
  if (!(height >= 1 && width >= 1)) {
    reject(
      call,
      `the window ${window.join('x')} (pad ${[top, bottom, left, right].join(',')}, dilation ${dilation.join(',')}) does not fit into ` +
        `the image ${x.shape[1]}x${x.shape[2]}: use a larger image, more padding or a smaller window`,
    )
  }
  return [height, width] as const
}
