/** See index.mjs. */
export interface Fault {
  readonly name: string
  readonly about: string
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly tests: readonly { readonly file: string; readonly pattern: string; readonly project?: string }[]
}
export const faults: readonly Fault[]
export const sources: readonly string[]
