/** Runs the command line as a process of its own. */
import { spawn } from 'node:child_process'
import { cli } from '../programs.js'

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Sends the signal as soon as this has been printed. */
  interrupt?: { signal: NodeJS.Signals; after: string }
}

export function runCli(words: readonly string[], { cwd, env, interrupt }: RunOptions = {}): Promise<Finished> {
  const child = spawn(process.execPath, [cli, ...words], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  let sent = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (!interrupt || sent || !stdout.includes(interrupt.after)) return
    sent = true
    child.kill(interrupt.signal)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text))
  return new Promise((resolve, reject) => child.on('error', reject).on('close', code => resolve({ code, stdout, stderr })))
}
