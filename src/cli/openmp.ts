/** The environment variables that steer OpenMP's threads, and what their values mean for this package. */
export interface OpenMpSetting {
  readonly name: string
  /** Undefined: not set. */
  readonly value: string | undefined
  readonly meaning: string
}

/** `now`: the environment after the addon was loaded, which sets what `given` left open. */
export function openMpSettings(given: NodeJS.ProcessEnv, now: NodeJS.ProcessEnv): OpenMpSetting[] {
  const { OMP_NUM_THREADS: threads, OMP_WAIT_POLICY: wait, GOMP_SPINCOUNT: spin, OMP_PROC_BIND: bind } = now
  const own = given.GOMP_SPINCOUNT === undefined ? ' (set by this package)' : ''
  return [
    {
      name: 'OMP_NUM_THREADS',
      value: threads,
      meaning: threads === undefined ? everyProcessor : threadsMeaning(threads),
    },
    {
      name: 'OMP_WAIT_POLICY',
      value: wait,
      meaning: waiting[wait?.toLowerCase() ?? ''] ?? 'not a value that OpenMP knows (active, passive)',
    },
    {
      name: 'GOMP_SPINCOUNT',
      value: spin,
      meaning:
        spin === undefined
          ? 'OMP_WAIT_POLICY decides how long idle threads spin'
          : `idle threads look for work so often before they sleep${own}`,
    },
    {
      name: 'OMP_PROC_BIND',
      value: bind,
      meaning:
        bind === undefined || bind.toLowerCase() === 'false'
          ? 'the system may move threads between processors'
          : 'threads stay on their processors: good alone on a machine, slow when another process is bound to the same ones',
    },
  ]
}

const everyProcessor = 'one thread for every processor that this process may use'

/** A list is for nested parallel loops, of which there are none here: its first number counts. */
function threadsMeaning(value: string): string {
  const [, count] = /^\s*([1-9]\d*)\s*(?:,|$)/.exec(value) ?? []
  return count === undefined ? `not a number above 0, which OpenMP ignores: ${everyProcessor}` : `threads of a step: ${count}`
}

const waiting: Readonly<Record<string, string>> = {
  '': 'idle threads spin for a moment (GOMP_SPINCOUNT), then sleep',
  active: 'idle threads spin: fast on free processors, takes time from everything else, the event loop too',
  passive: 'idle threads sleep at once: polite to others, every parallel loop waits for a wake-up',
}
