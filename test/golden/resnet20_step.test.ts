/** One training step of ResNet-20, published and erased, against PyTorch. */
import { describe, expect, test } from 'vitest'
import { crossEntropy } from '../../src/graph/functions.js'
import { testedDevices } from '../native/helpers.js'
import { expectClose, openGolden } from './golden_file.js'
import { gradientsOf } from './gradients_of.js'
import { resnet20, Training, type TorchOptimizer } from './training_helper.js'

const golden = await openGolden('resnet20_step.safetensors')
const spreads = golden.metadata('float32Spread') as Record<string, Record<string, number>>
const [x, labels] = [golden.tensor('x'), golden.tensor('labels')]
const keysOf = (arm: string, kind: string) =>
  golden.keys.filter(key => key.startsWith(`${arm}/${kind}/`)).map(key => key.slice(arm.length + 1))
// Disturbing PyTorch's float32 moves its answers by the spread; four times that leaves room for chance.
const tolerance = (arm: string, key: string) => 4 * spreads[arm]![key.split('/')[0]!]!

describe.each(['reference', ...testedDevices])('on %s', device => {
  describe.each(['baseline', 'erased'])('%s', arm => {
    test('logits, loss and every gradient', async () => {
      const model = resnet20(golden, arm)
      const result = await gradientsOf(device, model.parameters(), { x, labels }, inputs => {
        const logits = model(inputs.x!)
        const loss = crossEntropy(logits, inputs.labels!)
        return { loss, outputs: { logits, loss } }
      })
      const keys = keysOf(arm, 'gradient')
      expect(keys).toHaveLength(model.parameters().filter(({ trainable }) => trainable).length)
      for (const key of ['logits', 'loss', ...keys])
        expectClose(key, result[key], golden.tensor(`${arm}/${key}`), tolerance(arm, key))
    })

    test('weights and running statistics after the update', async () => {
      const optimizer = golden.metadata('optimizer') as TorchOptimizer
      using training = await Training.create(device, resnet20(golden, arm), optimizer, x.shape)
      const { loss, gradientNorm } = await training.step(x.data as Float32Array, labels.data as Int32Array)
      for (const [key, value] of Object.entries({ loss, gradientNorm }))
        expectClose(key, { shape: [1], data: Float32Array.of(value) }, golden.tensor(`${arm}/${key}`), tolerance(arm, key))
      const weights = await training.weights()
      const keys = keysOf(arm, 'after')
      for (const parameter of training.layout.entries) {
        const key = `after/${parameter.name}`
        if (!keys.includes(key)) continue
        const at = training.layout.offsetOf(parameter)
        const actual = { shape: parameter.shape, data: weights.subarray(at, at + parameter.size) }
        expectClose(key, actual, golden.tensor(`${arm}/${key}`), tolerance(arm, key))
      }
      expect(keys).toHaveLength(training.layout.entries.length - 5)
    })
  })
})
