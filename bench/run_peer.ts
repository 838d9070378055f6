// Runs one peer once, in a process of its own.
import { spawnSync } from 'node:child_process'
import type { Peer, Task } from './find_peers.js'
import type { Job, Timing } from './peers/job.js'

/** Its timing, or the line of what it said that names the error. */
export function runPeer({ commands, flags }: Peer, task: Task, job: Job): Timing | { failure: string } {
  const [command, ...args] = commands[task]!
  const { status, stdout, stderr, error, signal } = spawnSync(command, [...args, JSON.stringify(job), ...flags], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, OMP_NUM_THREADS: String(job.threads) },
  })
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1)!) as Timing
  const lines = stderr?.trim().split('\n') ?? []
  const said = lines.findLast(line => /^[\w.]*(Error|Exception)\b/.test(line)) ?? lines.at(-1)
  return { failure: error?.message ?? (said || `ended with ${signal ?? `exit code ${status}`}`) }
}
