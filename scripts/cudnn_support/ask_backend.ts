/** Asks the GPU backend, with a real libcudnn or the simulated one, what it would run on a GPU that is only described. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { build, fail } from './ask.js'
import type { Answer } from './table.js'

export interface Cudnn {
  /** Where libcudnn.so.9 lies. */
  readonly libraries: string
  /** From stubDriver(). */
  readonly driver: string
  readonly env?: Readonly<Record<string, string>>
}

/** The answers about operations (operation_line.ts), by line. `device`: a file with the properties of a GPU. */
export async function askBackend(cudnn: Cudnn, device: string, lines: readonly string[]): Promise<Map<string, Answer>> {
  const { libraries, driver, env } = cudnn
  const child = spawn(join(build, 'ask_backend'), [libraries, device], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env, LD_LIBRARY_PATH: `${driver}:${libraries}` },
  })
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  child.stdin.end(lines.map(line => `${line}\n`).join(''))
  let output = ''
  for await (const part of child.stdout.setEncoding('utf8')) output += String(part)
  const given = output.trimEnd().split('\n')
  if ((await ended) !== 0 || given.length !== lines.length)
    fail(`ask_backend answered ${given.length} of ${lines.length} questions about ${device}`)
  return new Map(lines.map((line, i) => [line, answerOf(given[i]!)]))
}

/** Without the name of the engine, which hangs on sizes. */
function answerOf(line: string): Answer {
  const [engine = '', plans = ''] = line.split('\t')
  return { engine: engine.replace(/^cudnn .*?(?= \+ own|$)/, 'cudnn'), plans }
}
