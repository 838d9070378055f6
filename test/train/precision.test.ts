/** Training in 16 bits: the first steps of a small residual network stay near those in f32, published and erased. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import type { Precision } from '../../src/graph/precision.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { initialize } from '../../src/nn/init.js'
import { Training, type TorchOptimizer } from '../golden/training_helper.js'
import { missingType, testedDevices } from '../native/helpers.js'
import { runProcess } from '../native/processes/run_process.js'

const optimizer: TorchOptimizer = { lr: 0.01, momentum: 0.9, nesterov: true, weight_decay: 1e-4 }
const batch = [4, 16, 16, 3]
const steps = 3
let noise = 1
const images = Float32Array.from({ length: 4 * 16 * 16 * 3 }, () => {
  noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0
  return noise / 2 ** 30 - 2
})
const labels = Int32Array.from([0, 3, 7, 9])

/**
 * Relative. A tensor in bf16 (f16) is off by up to 2^-9 (2^-12) of each value; about 25 of them lie one behind the other in the
 * forward pass and as many in the backward pass, and their roundings add up like a root: sqrt(25)·2^-9 = 0.01, with the gradient's
 * sqrt(50)·2^-9 = 0.014. A factor of 4 leaves room for chance and for batch norm over few values.
 */
const tolerances = { bf16: { loss: 0.04, gradientNorm: 0.056 }, f16: { loss: 0.005, gradientNorm: 0.007 } }

async function curve(device: string, erased: boolean, precision: Precision) {
  const model = initialize(new CifarResNet(8), 1)
  eraseReLU(model, { location: 'last', proportion: erased ? 1 : 0 })
  model.assignNames()
  const options = { precision, lossScale: precision === 'f16' ? 1024 : 1 }
  using training = await Training.create(device, model, optimizer, batch, options)
  const curve = []
  for (let step = 0; step < steps; step++) curve.push(await training.step(images, labels))
  return curve
}

describe.each(['reference', ...testedDevices])('on %s', device => {
  describe.each(['bf16', 'f16'] as const)('in %s', precision => {
    const missing = missingType(device, precision)
    if (missing !== undefined) return test.skip(missing)
    test.each([
      ['published', false],
      ['erased', true],
    ] as const)('%s', async (_, erased) => {
      const expected = await curve('cpu', erased, 'f32')
      const actual = await curve(device, erased, precision)
      for (const key of ['loss', 'gradientNorm'] as const) {
        const errors = actual.map((step, i) => Math.abs(step[key] - expected[i]![key]) / expected[i]![key])
        for (const error of errors) expect(error, `${precision}: ${key}`).toBeLessThan(tolerances[precision][key])
        // Really in 16 bits: f32 is within 1e-5.
        expect(Math.max(...errors), `${precision}: ${key}`).toBeGreaterThan(1e-5)
      }
    })
  })
})

test('a processor whose bf16 instructions are hidden says what is missing and what would work', async () => {
  const { stdout } = await runProcess('precision_of_cpu.ts', [], [], { ONEDNN_MAX_CPU_ISA: 'AVX2' })
  expect(JSON.parse(stdout)).toEqual({
    bf16: false,
    message: expect.stringMatching(
      /compile: precision 'bf16' on 'cpu' needs AVX512_BF16 or AMX, which .* forbids: use 'f32', or a device 'cuda'/,
    ) as string,
  })
})
