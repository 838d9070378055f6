/** Prints the instruction set of our loops on the CPU, or why there is none. */
import { deviceInfo } from '../../../src/runtime/devices.js'

try {
  console.log(deviceInfo('cpu').instructions)
} catch (error) {
  console.log(String(error))
}
