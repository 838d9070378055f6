/** Runs a script of this folder in a process of its own. */
import { spawn } from 'node:child_process'
import { program } from '../../programs.js'

/** Under sanitizers memory and time are not what they are otherwise. */
export const sanitized = process.env.LD_PRELOAD?.includes('libasan') ?? false

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export function runProcess(
  script: string,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [...nodeOptions, program(`test/native/processes/${script}`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  const ended = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (ended.stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (ended.stderr += text.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...ended }))
  })
}
