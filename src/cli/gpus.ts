/** GPUs that a step is predicted for: what their memory and matrix units do in practice. */
import type { Precision } from '../graph/precision.js'

export interface Gpu {
  readonly name: string
  /** Bytes a second, measured with a large copy. */
  readonly bandwidth: number
  /** Floating-point operations a second that convolutions reach. */
  readonly rate: Readonly<Record<Precision, number>>
}

/** TB/s; the share of a large matrix product that convolutions reach; TFLOP/s of such a product by type. */
interface Numbers {
  readonly bandwidth: number
  readonly share: number
  readonly f32: number
  readonly tf32: number
  readonly sixteen: number
}

const gpu = (name: string, { bandwidth, share, f32, tf32, sixteen }: Numbers): Gpu => {
  const reached = (product: number) => share * product * 1e12
  const rate = { f32: reached(f32), tf32: reached(tf32), bf16: reached(sixteen), f16: reached(sixteen) }
  return { name, bandwidth: bandwidth * 1e12, rate }
}

/**
 * Bandwidth and 16-bit products are what has been measured on such GPUs (A100 80 GB, H100 SXM, H200). The shares are those with which
 * the same sum over ResNet-50 comes near published training speeds: on an A100 MXNet's 3,410 images/s are 93 % of it, on an H100 MLPerf's
 * 7,006 are 79 % of it for the fp16-only fusions used there. f32 and tf32 are the data sheets' dense numbers.
 */
export const gpus: readonly Gpu[] = [
  gpu('A100', { bandwidth: 1.75, share: 0.7, f32: 19.5, tf32: 156, sixteen: 260 }),
  gpu('H100', { bandwidth: 3.0, share: 0.6, f32: 67, tf32: 494, sixteen: 790 }),
  gpu('H200', { bandwidth: 4.3, share: 0.6, f32: 67, tf32: 494, sixteen: 790 }),
]

export const gpuNames = gpus.map(({ name }) => name)
