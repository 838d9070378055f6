/** Ten training steps of ResNet-20, published and erased, against PyTorch: loss and gradient norm of every step. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { testedDevices } from '../native/helpers.js'
import { openGolden } from './golden_file.js'
import { resnet20, Training, type TorchOptimizer } from './training_helper.js'

interface Curves {
  readonly loss: readonly number[]
  readonly gradientNorm: readonly number[]
}
type Arm = Readonly<Record<'float64' | 'float32Spread', Curves>>

const file = await readFile(join(import.meta.dirname, 'trajectory.json'), 'utf8')
const answers = JSON.parse(file) as { optimizer: TorchOptimizer; baseline: Arm; erased: Arm }
const weights = await openGolden('resnet20_step.safetensors')
const data = await openGolden('trajectory.safetensors')

const images = data.tensor('images')
const labels = data.tensor('labels')
const [steps = 0, ...batch] = images.shape
const [mean, std] = [(data.metadata('mean') as number[])[0]!, (data.metadata('std') as number[])[0]!]
const normalised = Float32Array.from(images.data, raw => (raw / 255 - mean) / std)
const part = <T extends Float32Array | Int32Array>(array: T, step: number): T => {
  const size = array.length / steps
  return array.slice(step * size, (step + 1) * size) as T
}

describe.each(['reference', ...testedDevices])('on %s', device => {
  test.each(['baseline', 'erased'] as const)('%s', async arm => {
    const { float64, float32Spread } = answers[arm]
    using training = await Training.create(device, resnet20(weights, arm), answers.optimizer, batch)
    // Disturbing PyTorch's float32 moves the curves by the spread; four times its largest value so far leaves room for chance.
    const tolerance = { loss: 0, gradientNorm: 0 }
    for (let step = 0; step < steps; step++) {
      const actual = await training.step(part(normalised, step), part(labels.data as Int32Array, step))
      for (const key of ['loss', 'gradientNorm'] as const) {
        const expected = float64[key][step]!
        tolerance[key] = Math.max(tolerance[key], 4 * float32Spread[key][step]!)
        const error = Math.abs(actual[key] - expected) / expected
        expect(error, `${key} of step ${step}: ${actual[key]}, PyTorch has ${expected}`).toBeLessThanOrEqual(tolerance[key])
      }
    }
  })
})
