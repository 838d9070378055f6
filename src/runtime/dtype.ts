/** Element types and shapes, as the addon and the graph both name them, and the typed arrays that hold them on the host. */

/** Element types: floats of 32 and 16 bits, 32-bit integers, bytes. */
export type DType = 'f32' | 'bf16' | 'f16' | 'i32' | 'u8'
/** Elements in each dimension, the slowest first: [N, H, W, C] for images, [N, C] for features. */
export type Shape = readonly number[]

/** Floats of 16 bits. */
export type Float16 = 'bf16' | 'f16'

/** Host data: f32 in a Float32Array, i32 in an Int32Array, u8 in a Uint8Array, the codes of bf16 or f16 in a Uint16Array. */
export type HostArray = Float32Array | Int32Array | Uint8Array | Uint16Array

/** An array with its shape, whose product is the length of the array; row-major. */
export interface HostTensor<A extends HostArray = HostArray> {
  /** [N, H, W, C] for images. */
  readonly shape: Shape
  /** The elements. */
  readonly data: A
  /** What a Uint16Array holds: there, and only there. */
  readonly dtype?: Float16
}

/** `float16`: what a Uint16Array holds. */
export function dtypeOf(data: HostArray, float16: Float16 = 'bf16'): DType {
  if (data instanceof Float32Array) return 'f32'
  if (data instanceof Int32Array) return 'i32'
  return data instanceof Uint8Array ? 'u8' : float16
}

export const isFloat16 = (dtype: DType): dtype is Float16 => dtype === 'bf16' || dtype === 'f16'

/** The class of the arrays that hold a type. */
export const arrayClasses = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, bf16: Uint16Array, f16: Uint16Array } as const

export function isHostArray(data: unknown): data is HostArray {
  return data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array || data instanceof Uint16Array
}

/** For messages: the class of an array or object, else the type. */
export function kindOf(data: unknown): string {
  return typeof data === 'object' && data !== null ? data.constructor.name : String(data)
}
