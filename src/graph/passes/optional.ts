/** The passes that only make a plan faster or smaller: each can be left out, to measure what it gives or to find what it breaks. */
import { requireList, requireOneOf } from '../../runtime/options.js'

/** Their names, in the order in which they run. */
export const optionalPasses = [
  'fold-batch-norm',
  'fuse',
  'place-concats',
  'recompute',
  'tile',
  'chunk-memory',
  'own-convolutions',
] as const

/** The name of a pass that can be left out (docs/performance.md says what each does). */
export type PassName = (typeof optionalPasses)[number]

/** Whether a pass is to run: none does in checked mode, which looks at every operation as it was written. */
export const passSwitch =
  ({ disabledPasses = [], checked }: { readonly disabledPasses?: readonly PassName[] | undefined; readonly checked: boolean }) =>
  (name: PassName): boolean =>
    !checked && !disabledPasses.includes(name)

/** Throws InvalidArgument for what is no list of passes; `where`: 'compile'. */
export function checkDisabledPasses(where: string, disabled: unknown): void {
  if (disabled === undefined) return
  requireList(where, 'disabledPasses', disabled, `passes: ${optionalPasses.join(', ')}`)
  for (const name of disabled as unknown[]) requireOneOf(where, 'each of disabledPasses', name, optionalPasses)
}
