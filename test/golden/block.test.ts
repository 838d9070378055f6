/** A residual block of CIFAR ResNets, with and without its last ReLU, against PyTorch. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { mul, sum } from '../../src/graph/functions.js'
import { Parameter } from '../../src/graph/parameter.js'
import { currentTrace } from '../../src/graph/trace.js'
import { BasicBlock } from '../../src/models/residual.js'
import { ShortcutA } from '../../src/nn/layers/plain.js'
import type { HostTensor } from '../../src/runtime/dtype.js'
import { expectClose, openGolden } from './golden_file.js'
import { gradientsOf } from './gradients_of.js'

// Two convolutions and two batch norms, each with sums over up to 288 products or 256 pixels in f32.
const tolerances = { reference: 2e-6, cpu: 1e-5 }

const golden = await openGolden('block.safetensors')
const blocks = golden.metadata('blocks') as Record<string, { channels: number; filters: number; stride: number }>

describe.each(Object.entries(tolerances))('on %s', (device, tolerance) => {
  test.each(Object.keys(blocks).flatMap(name => ['baseline', 'erased'].map(arm => [name, arm] as const)))(
    '%s, %s',
    async (name, arm) => {
      const { channels, filters, stride } = blocks[name]!
      const block = new BasicBlock(channels, filters, stride, stride > 1 ? new ShortcutA(filters, stride) : undefined)
      eraseReLU(block, { location: 'last', proportion: arm === 'erased' ? 1 : 0 })
      block.assignNames()
      for (const parameter of block.parameters()) parameter.data.set(golden.tensor(`${name}/initial/${parameter.name}`).data)
      const x = golden.tensor(`${name}/x`)
      const input = new Parameter(x.shape, 'weight')
      input.name = 'x'
      input.data.set(x.data)

      const dy = golden.tensor(`${name}/dy`)
      const result = await gradientsOf(device, [...block.parameters(), input], { dy }, inputs => {
        const y = block(currentTrace().parameter(input))
        return { loss: sum(mul(y, inputs.dy!)), outputs: { y } }
      })
      const compare = (key: string, actual: HostTensor | undefined) =>
        expectClose(key, actual, golden.tensor(`${name}/${arm}/${key}`), tolerance)
      compare('y', result.y)
      compare('dx', result['gradient/x'])
      const keys = golden.keys
        .filter(key => key.startsWith(`${name}/${arm}/gradient/`))
        .map(key => key.split('/').slice(2).join('/'))
      expect(keys).toHaveLength(6)
      for (const key of keys) compare(key, result[key])
    },
  )
})
