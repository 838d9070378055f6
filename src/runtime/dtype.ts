/** Element types and shapes, as the addon and the graph both name them, and the typed arrays that hold them on the host. */

/** Element types: floats of 32 and 16 bits, 32-bit integers, bytes. Host arrays hold f32, i32 and u8. */
export type DType = 'f32' | 'bf16' | 'f16' | 'i32' | 'u8'
/** Elements in each dimension, the slowest first: [N, H, W, C] for images, [N, C] for features. */
export type Shape = readonly number[]

/** Host data: f32 in a Float32Array, i32 in an Int32Array, u8 in a Uint8Array. */
export type HostArray = Float32Array | Int32Array | Uint8Array

/** An array with its shape, whose product is the length of the array; row-major. */
export interface HostTensor<A extends HostArray = HostArray> {
  readonly shape: Shape
  readonly data: A
}

export function dtypeOf(data: HostArray): DType {
  if (data instanceof Float32Array) return 'f32'
  return data instanceof Int32Array ? 'i32' : 'u8'
}

/** The class of the arrays that hold a type. */
export const arrayClasses = { f32: Float32Array, i32: Int32Array, u8: Uint8Array, bf16: Uint16Array, f16: Uint16Array } as const

export function isHostArray(data: unknown): data is HostArray {
  return data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array
}

/** For messages: the class of an array or object, else the type. */
export function kindOf(data: unknown): string {
  return typeof data === 'object' && data !== null ? data.constructor.name : String(data)
}
