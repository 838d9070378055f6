/** Symbolic tensors: what `forward` works on. They have a type and a name and hold no numbers. */

import type { DType, Shape } from '../runtime/dtype.js'

export type { DType, Shape }

export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

/**
 * A value of the graph. Activations are `[N, H, W, C]`, flat features `[N, C]`, filters `[K, R, S, C/groups]`.
 * Made by the tensor functions (`conv2d`, `add`, …), never by hand.
 */
export class Tensor implements TensorType {
  constructor(
    readonly id: number,
    readonly dtype: DType,
    readonly shape: Shape,
    /** The path of the layer that made it: 'layer1.0.conv1', for messages. */
    public name: string,
  ) {}

  /** Number of elements. */
  get size(): number {
    return elementsOf(this.shape)
  }

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
