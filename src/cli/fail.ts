/** How the command line ends on an error: one message, no stack trace, an exit code that tells whose mistake it was. */
import { EraseReLUError, InvalidArgument, Unsupported } from '../runtime/errors.js'

/** 2: a wrong option or value, or one that does not work here; 1: anything else. ERASERELU_DEBUG=1 shows where it was thrown. */
export function fail(error: unknown): void {
  process.exitCode = error instanceof InvalidArgument || error instanceof Unsupported ? 2 : 1
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`error: ${message}\n`)
  if (process.env.ERASERELU_DEBUG === '1') process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
  else if (!(error instanceof EraseReLUError)) process.stderr.write('Set ERASERELU_DEBUG=1 to see where it happened.\n')
}
