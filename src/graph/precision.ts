/** Precision policies: which type activations and their gradients have, and what follows for devices and the loss. */
import { deviceInfo } from '../runtime/devices.js'
import { Unsupported } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'

/**
 * 'f32': everything in f32. 'tf32': the same, but convolutions may round their operands to 10 bits of mantissa. 'bf16' and
 * 'f16': activations, their gradients and the convolutions' copies of the weights in that type; sums, statistics, master
 * weights, optimizer and loss in f32; 'f16' scales the loss (docs/numerics.md).
 */
export type Precision = 'f32' | 'tf32' | 'bf16' | 'f16'

export const precisions = ['f32', 'tf32', 'bf16', 'f16'] as const satisfies readonly Precision[]

/** The type of activations and of their gradients. */
export const activationType = (precision: Precision) => (precision === 'tf32' ? 'f32' : precision)

/** Whether gradients could vanish in the type's range: the loss is then multiplied before the backward pass. */
export const scalesLoss = (precision: Precision): boolean => precision === 'f16'

/** Throws InvalidArgument for a word that is no policy, and Unsupported for a device that has no kernels of that type. */
export function checkPrecision(where: string, precision: Precision, device: string): void {
  requireOneOf(where, 'precision', precision, precisions)
  const everywhere = precision === 'f32' || device.startsWith('cuda')
  // The reference backend computes in double and rounds to any type; TF32 is a library's own.
  if (everywhere || (device === 'reference' && precision !== 'tf32')) return
  if (device !== 'cpu')
    throw new Unsupported(`${where}: precision '${precision}' needs a device 'cuda'; on '${device}' use 'f32'`)
  if (precision !== 'bf16')
    throw new Unsupported(`${where}: precision '${precision}' needs a device 'cuda'; on '${device}' use 'f32' or 'bf16'`)
  if (deviceInfo(device).bf16) return
  throw new Unsupported(
    `${where}: precision 'bf16' on 'cpu' needs AVX512_BF16 or AMX, which this processor lacks or ONEDNN_MAX_CPU_ISA forbids: use 'f32', or a device 'cuda'`,
  )
}
