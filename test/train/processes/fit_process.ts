// Trains into the folder that is named, resuming what it holds; prints 'completed', or the code and the message of the error.
import { EraseReLUError } from '../../../src/runtime/errors.js'
import { fitInto } from '../run_folder.js'

try {
  await fitInto(process.argv[2]!, { resume: true })
  console.log('completed')
} catch (error) {
  console.log(error instanceof EraseReLUError ? `${error.code} ${error.message}` : String(error))
  process.exitCode = 1
}
