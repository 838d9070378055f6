/** Runs a file of examples/ as a user does: on the built package (dist/), in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export class Example {
  printed = ''
  private readonly child: ChildProcess
  /** The exit code. */
  readonly ended: Promise<number | null>

  constructor(name: string, ...args: string[]) {
    const command = ['--import', 'tsx', `examples/${name}.ts`, ...args]
    const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => void (this.printed += text))
    this.ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** The first group of `pattern`, as soon as it is printed; throws when the example ends without it. */
  async says(pattern: RegExp): Promise<string> {
    let over = false
    void this.ended.finally(() => (over = true))
    for (;;) {
      const found = pattern.exec(this.printed)?.[1]
      if (found !== undefined) return found
      if (over) throw new Error(`the example did not print ${String(pattern)}, but:\n${this.printed}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

/** What an example prints; throws with it unless the exit code is 0. */
export async function printedBy(name: string): Promise<string> {
  const example = new Example(name)
  const code = await example.ended
  if (code !== 0) throw new Error(`examples/${name}.ts ended with exit code ${code}:\n${example.printed}`)
  return example.printed
}
