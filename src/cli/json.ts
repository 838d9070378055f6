/** `--json`: a command's result as JSON on stdout; whatever else it has to say goes to stderr. */
import type { Command } from 'commander'

export interface JsonFlag {
  json?: boolean
}

export const addJsonOption = (command: Command): Command =>
  command.option('--json', 'print the result as JSON; everything else goes to stderr')

/** Prints the result: as JSON, or as the text that `text` makes of it. */
export function printResult<T extends object>(result: T, { json = false }: JsonFlag, text: (result: T) => string): void {
  process.stdout.write(`${json ? JSON.stringify(result, null, 2) : text(result)}\n`)
}
