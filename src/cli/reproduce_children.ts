/** Trainings as child processes: `eraserelu train`, several at a time, each stopped with a checkpoint when the study is. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { trainerOf } from '../train/run_lock.js'

export interface ChildRun {
  readonly name: string
  /** YAML file with its settings. */
  readonly config: string
  readonly folder: string
  /** What it prints, and why it failed. */
  readonly log: string
}

export interface ChildOptions {
  readonly jobs: number
  readonly threads: number
  readonly signal: AbortSignal
  started(run: ChildRun): void
  /** A line that the training printed. */
  line(run: ChildRun, line: string): void
  /** `failure`: its last words, where it did not train to its end. */
  ended(run: ChildRun, failure: string | undefined): Promise<void>
}

/**
 * Trains them all in order. When the signal comes, those under way write a checkpoint, and it throws the signal's reason; the same
 * for an error in `ended`.
 */
export async function trainAll(runs: readonly ChildRun[], options: ChildOptions): Promise<void> {
  const waiting = [...runs]
  const failing = new AbortController()
  const signal = AbortSignal.any([options.signal, failing.signal])
  const work = async () => {
    for (let run = waiting.shift(); run && !signal.aborted; run = waiting.shift()) {
      options.started(run)
      const failure = await train(run, { ...options, signal })
      if (!signal.aborted) await options.ended(run, failure)
    }
  }
  const places = Array.from({ length: options.jobs }, () =>
    work().catch((error: unknown) => {
      failing.abort(error)
    }),
  )
  await Promise.all(places)
  signal.throwIfAborted()
}

async function train(run: ChildRun, { threads, signal, line }: ChildOptions): Promise<string | undefined> {
  await endOrphan(run.folder, signal)
  if (signal.aborted) return undefined
  const words = [...process.execArgv, process.argv[1]!, 'train', '--config', run.config, '--output-dir', run.folder, '--resume']
  // In a process group of its own: Ctrl-C reaches it through this process alone.
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, OMP_NUM_THREADS: String(threads) },
  })
  const stop = () => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const log = createWriteStream(run.log, { flags: 'a' })
  let lastWords = ''
  const listen = (stream: 'stdout' | 'stderr', heard: (text: string) => void) =>
    createInterface(child[stream]).on('line', text => {
      log.write(`${text}\n`)
      heard(text)
    })
  listen('stdout', text => line(run, text))
  listen('stderr', text => (lastWords = text.startsWith('error: ') ? text.slice(7) : lastWords || text))
  try {
    const code = await exitOf(child)
    return code === 0 ? undefined : lastWords || `it ended with ${code ?? 'a signal'}`
  } finally {
    signal.removeEventListener('abort', stop)
    log.end()
  }
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => child.on('error', reject).on('close', code => resolve(code)))

/** A study that was killed leaves its trainings running until they print; this one has the study's lock, so they are no one's. */
async function endOrphan(folder: string, signal: AbortSignal): Promise<void> {
  for (let asked = false; !signal.aborted; asked = true) {
    const orphan = await trainerOf(folder)
    if (orphan === undefined) return
    if (!asked) terminate(orphan)
    await sleep(100)
  }
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // It has ended meanwhile.
  }
}
