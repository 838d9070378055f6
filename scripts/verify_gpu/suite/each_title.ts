// Titles of test.each and describe.each, as vitest writes them: '%s' takes the arguments in turn, '$name' a property of the first.
import { format } from 'node:util'

export function eachTitle(title: string, args: readonly unknown[]): string {
  const row = args[0]
  const named = title.replaceAll(/\$(\w+)/g, (whole, key: string) =>
    typeof row === 'object' && row !== null && key in row ? String((row as Record<string, unknown>)[key]) : whole,
  )
  const wanted = named.match(/%[sdifjoO]/g)?.length ?? 0
  return format(named, ...args.slice(0, wanted))
}

/** What a row of a table gives the function: an array its elements, everything else itself. */
export const argumentsOf = (row: unknown): readonly unknown[] => (Array.isArray(row) ? row : [row])
