/** Runs loops on several threads and prints their instruction set, or why there is none. */
import { run } from '../../../src/graph/run.js'
import { deviceInfo } from '../../../src/runtime/devices.js'

try {
  await run('relu', { x: { shape: [1 << 17], data: new Float32Array(1 << 17) } })
  console.log(deviceInfo('cpu').instructions)
} catch (error) {
  console.log(String(error))
}
