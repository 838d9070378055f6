/** Pixels as a network takes them, computed on the host. */
import type { DataSource } from './dataset.js'

/** (value / 255 - mean) / std, channel by channel, into the first elements of `into`; default: an array of the same length. */
export function normalised(
  pixels: Uint8Array,
  { mean, std }: Pick<DataSource, 'mean' | 'std'>,
  into = new Float32Array(pixels.length),
): Float32Array {
  const channels = mean.length
  for (let i = 0; i < pixels.length; i++) into[i] = (pixels[i]! / 255 - mean[i % channels]!) / std[i % channels]!
  return into
}
