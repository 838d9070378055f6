// Trains into the folder that is named, resuming what it holds; prints 'completed', or the code and the message of the error. With options
// as JSON, of the trainer and `checkpointSeconds`, it prints what the event `resume` notes first, a line each.
import { EraseReLUError } from '../../../src/runtime/errors.js'
import type { TrainerOptions } from '../../../src/train/trainer.js'
import { fitInto, only } from '../run_folder.js'

const [folder = '', given] = process.argv.slice(2)
try {
  const { checkpointSeconds = 60, ...options } = JSON.parse(given ?? '{}') as Partial<TrainerOptions> & {
    checkpointSeconds?: number
  }
  const events = await fitInto(folder, { resume: true, checkpointSeconds }, options)
  if (given !== undefined) for (const note of only(events, 'resume').flatMap(({ notes }) => notes)) console.log(note)
  console.log('completed')
} catch (error) {
  console.log(error instanceof EraseReLUError ? `${error.code} ${error.message}` : String(error))
  process.exitCode = 1
}
