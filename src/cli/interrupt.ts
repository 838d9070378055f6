/** Ctrl-C and SIGTERM: the first asks the work to stop, through an AbortSignal, and sets the exit code; a second quits at once. */

/** 128 + the number of the signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** On Ctrl-C the terminal signals the whole foreground group and npm passes its own on: one key press, two signals. */
const samePressMilliseconds = 500

/** Runs `work` with the signal; `announce` is called when it is aborted. */
export async function interruptible<T>(announce: () => void, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let first = 0
  const stop = (name: keyof typeof exitCodes) => {
    if (!controller.signal.aborted) {
      first = performance.now()
      process.exitCode = exitCodes[name]
      announce()
      controller.abort(new Error(`stopped by ${name}`))
    } else if (performance.now() - first > samePressMilliseconds) process.exit(exitCodes[name])
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
