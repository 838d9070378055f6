/** A shallow network of each family in training, published and erased, against PyTorch: logits, loss, and every parameter's gradient. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { crossEntropy } from '../../src/graph/functions.js'
import { testedDevices } from '../native/helpers.js'
import { expectClose, openGolden } from './golden_file.js'
import { fill, networks, rules, words } from './families.js'
import { gradientsOf } from './gradients_of.js'

const golden = await openGolden('families.safetensors')
const names = golden.metadata('networks') as string[]
const samples = golden.metadata('samples') as number
const spreads = golden.metadata('float32Spread') as Record<string, Record<string, number>>

test('every network of the file is tested', () => {
  expect(Object.keys(networks)).toEqual(names)
})

describe.each(testedDevices)('on %s', device => {
  describe.each(names)('%s', name => {
    test.each(['baseline', 'erased'])('%s', async arm => {
      const model = networks[name]!()
      eraseReLU(model, arm === 'erased' ? rules[name] : { proportion: 0 })
      fill(model)
      const inputs = { x: golden.tensor(`${name}/x`), labels: golden.tensor(`${name}/labels`) }
      const result = await gradientsOf(device, model.parameters(), inputs, ({ x, labels }) => {
        const logits = model(x!)
        const loss = crossEntropy(logits, labels!)
        return { loss, outputs: { logits, loss } }
      })
      const spread = spreads[`${name}/${arm}`]!
      const expected = (key: string) => golden.tensor(`${name}/${arm}/${key}`)
      // One run of PyTorch's float32 is off by the spread; another order of summation by a few times as much.
      const tolerance = (key: string) => 10 * spread[key.split('/')[0]!]! + 1e-6
      for (const key of ['logits', 'loss']) expectClose(key, result[key], expected(key), tolerance(key))
      const trained = model.parameters().filter(({ trainable }) => trainable)
      const keys = golden.keys.filter(key => key.startsWith(`${name}/${arm}/gradient/`))
      expect(trained.map(parameter => `${name}/${arm}/gradient/${parameter.name}`).sort()).toEqual([...keys].sort())
      for (const { name: parameter } of trained) {
        const key = `gradient/${parameter}`
        const actual = sampled(result[key]!.data as Float32Array, parameter)
        // Some gradients are zero but for rounding: a shift in front of a batch norm has no effect.
        const scale = Math.max(spread.floor!, ...expected(key).data.map(Math.abs))
        actual.forEach((value, i) => {
          const error = Math.abs(value - expected(key).data[i]!) / scale
          expect(error, `${key}, sample ${i}: ${value}, PyTorch has ${expected(key).data[i]}`).toBeLessThanOrEqual(tolerance(key))
        })
      }
    })
  })
})

/** The norm, and the elements at the places that the formula picks. */
function sampled(gradient: Float32Array, name: string): number[] {
  const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0))
  return [norm, ...Array.from(words(`${name} samples`, samples), word => gradient[word % gradient.length]!)]
}
