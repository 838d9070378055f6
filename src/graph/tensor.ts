/** Symbolic tensors: what `forward` works on. They have a type and a name and hold no numbers. */

import type { DType, Shape } from '../runtime/dtype.js'

export type { DType, Shape }

/** The type of a tensor. */
export interface TensorType {
  /** Of its elements. */
  readonly dtype: DType
  /** Elements in each dimension. */
  readonly shape: Shape
}

/**
 * A value of the graph. Activations are `[N, H, W, C]`, flat features `[N, C]`, filters `[K, R, S, C/groups]`.
 * Made by the tensor functions (`conv2d`, `add`, …), never by hand.
 */
export class Tensor implements TensorType {
  constructor(
    /** Its number in the graph. */
    readonly id: number,
    /** Of its elements; under a 16-bit policy, what it was traced with until the plan is made. */
    public dtype: DType,
    /** Elements in each dimension. */
    readonly shape: Shape,
    /** The path of the layer that made it: 'layer1.0.conv1', for messages. */
    public name: string,
  ) {}

  /** Number of elements. */
  get size(): number {
    return elementsOf(this.shape)
  }

  /** 'layer1.0.conv1 [8, 32, 32, 16] f32' */
  toString(): string {
    return `${this.name} ${formatShape(this.shape)} ${this.dtype}`
  }
}

export function elementsOf(shape: Shape): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

/** "[128, 32, 32, 16]" */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

export function f32(shape: Shape): TensorType {
  return { dtype: 'f32', shape }
}
