/** Builds the fuzzed image decoder; gives the program's path. Throws with what the compiler said. */
export function buildFuzzer(compiler: string, options: { libFuzzer: boolean }): string
