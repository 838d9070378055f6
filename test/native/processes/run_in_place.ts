/** Runs one operation that works on its operands and needs no other memory. */
import { run } from '../../../src/index.js'

const { ema } = await run(
  'emaUpdate',
  {
    weights: { shape: [2], data: Float32Array.of(1, 2) },
    ema: { shape: [2], data: Float32Array.of(0, 0) },
    state: { shape: [16], data: new Float32Array(16).fill(1) },
  },
  { decay: 0.5 },
)
console.log(JSON.stringify([...ema!.data]))
