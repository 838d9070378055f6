/**
 * What ends work early: Ctrl-C, SIGTERM, a terminal that was closed, a reader of the output that went away. The first asks the
 * work to stop, through an AbortSignal, and sets the exit code; a second Ctrl-C or SIGTERM quits at once.
 */

/** 128 + the number of the signal. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const
type Name = keyof typeof exitCodes

/** On Ctrl-C the terminal signals the whole foreground group and npm passes its own on: one key press, two signals. */
const samePressMilliseconds = 500

/** Stops the work that is running. */
let stopWork: ((name: Name) => void) | undefined

/** Runs `work` with the signal; `announce` is called when it is aborted. One at a time. */
export async function interruptible<T>(announce: () => void, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let first = 0
  const stop = (name: Name) => {
    if (controller.signal.aborted) return
    first = performance.now()
    process.exitCode = exitCodes[name]
    announce()
    controller.abort(new Error(`stopped by ${name}`))
  }
  const press = (name: 'SIGINT' | 'SIGTERM') => {
    if (controller.signal.aborted && performance.now() - first > samePressMilliseconds) process.exit(exitCodes[name])
    stop(name)
  }
  // Node.js does not keep what nohup asks for, to ignore this signal; but with nohup no stream is a terminal.
  const hangUp = () => {
    if ([process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)) stop('SIGHUP')
  }
  process.on('SIGINT', press).on('SIGTERM', press).on('SIGHUP', hangUp)
  stopWork = stop
  try {
    return await work(controller.signal)
  } finally {
    stopWork = undefined
    process.off('SIGINT', press).off('SIGTERM', press).off('SIGHUP', hangUp)
  }
}

/** Once stdout cannot be written any more, such as after `| head`, the command ends, as it would by SIGPIPE; work is stopped. */
export function endWithoutOutput(): void {
  let lost = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (lost) return
    lost = true
    // EPIPE: its reader is gone. EIO: its terminal is.
    const quiet = error.code === 'EPIPE' || error.code === 'EIO'
    if (!quiet) process.stderr.write(`error: stdout cannot be written: ${error.message}\n`)
    if (stopWork) stopWork('SIGPIPE')
    else process.exit(quiet ? exitCodes.SIGPIPE : 1)
  })
  // What cannot be said on stderr is lost; the work is not.
  process.stderr.on('error', () => undefined)
}
