/** Compiles a small model in bf16 on the CPU and prints what becomes of it; ONEDNN_MAX_CPU_ISA hides instructions of the processor. */
import { compile } from '../../../src/graph/session.js'
import { Conv2d } from '../../../src/nn/index.js'
import { deviceInfo } from '../../../src/runtime/devices.js'

const inputs = { x: { shape: [1, 8, 8, 3] } }
const message = await compile(new Conv2d(3, 4, 3), { inputs, precision: 'bf16' }).then(
  session => session.engines.map(({ engine }) => engine).join(', '),
  (error: unknown) => String(error),
)
console.log(JSON.stringify({ bf16: deviceInfo('cpu').bf16, message }))
