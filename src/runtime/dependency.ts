/** Dependencies of synchronous code that are loaded when they are first needed: importing the package does not wait for them. */
import { createRequire } from 'node:module'

/** Gives what the package `name` exports. */
export function dependency(name: string): () => unknown {
  let loaded: unknown
  return () => (loaded ??= createRequire(import.meta.url)(name) as unknown)
}
