/** `--precision auto`: the faster of f32 and bf16 on this machine. */
import { precisions, type Precision } from '../graph/precision.js'
import { devices } from '../runtime/devices.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireOneOf } from '../runtime/options.js'

export const precisionWords = [...precisions, 'auto'] as const
export type PrecisionWord = (typeof precisionWords)[number]

export const precisionHelp =
  'of activations and their gradients; bf16 also on CPUs that have it, tf32 and f16 on a GPU; auto: bf16 where a measurement on the CPU, kept for later, finds it faster than f32'

/**
 * What a word stands for; says on stderr what 'auto' has become. `before`: what the run that goes on was begun with, which auto keeps,
 * because a machine may be measured anew. Throws InvalidArgument for auto on a GPU.
 */
export async function takenPrecision(
  command: string,
  { precision, device, before }: { precision: PrecisionWord; device: string; before?: PrecisionWord | undefined },
): Promise<Precision> {
  if (precision !== 'auto') return precision
  const say = (taken: Precision, why: string) => void process.stderr.write(`--precision auto: ${taken}, ${why}\n`)
  if (before !== undefined && before !== 'auto') {
    say(before, 'as it was begun')
    return before
  }
  if (device.startsWith('cuda'))
    throw new InvalidArgument(
      `${command}: --precision auto chooses for the CPU; with --device ${device} name one of ${precisions.join(', ')}`,
    )
  requireOneOf(command, '--device', device, devices())
  const { fasterPrecision } = await import('../train/faster_precision.js')
  const { precision: taken, ratio } = await fasterPrecision(device)
  say(taken, ratio === undefined ? `all that ${device} has` : `a step in bf16 takes ${ratio.toFixed(2)} times as long as in f32`)
  return taken
}
