/** The gradient rules against PyTorch's autograd: the gradients of layers.safetensors. */
import { describe, test } from 'vitest'
import { apply, mul, sum } from '../../src/graph/functions.js'
import type { Attributes, GraphOp } from '../../src/graph/graph.js'
import { Parameter } from '../../src/graph/parameter.js'
import { expectClose, openGolden } from './golden_file.js'
import { gradientsOf } from './gradients_of.js'

interface Example {
  readonly op: GraphOp
  readonly name: string
  readonly attributes: Attributes
  readonly reads: readonly string[]
  readonly gradients: Readonly<Record<string, string>>
}

// As in operations.test.ts, but a gradient of the reference passes through up to four operations with f32 between them.
const tolerances = { reference: 5e-7, cpu: 4e-6 }

const golden = await openGolden('layers.safetensors')
const examples = golden.metadata('gradients') as Example[]

describe.each(Object.entries(tolerances))('on %s', (device, tolerance) => {
  test.each(examples)('$op: $name', async ({ op, name, attributes, reads, gradients }) => {
    const parameters = reads.map(read => {
      const { shape, data } = golden.tensor(`${name}/${read}`)
      const parameter = new Parameter(shape, read in gradients ? 'weight' : 'statistic')
      parameter.name = read
      parameter.data.set(data)
      return parameter
    })
    const dy = golden.tensor(`${name}/dy`)
    const result = await gradientsOf(device, parameters, { dy }, inputs => {
      const operands = Object.fromEntries(parameters.map(p => [p.name, p]))
      const y = apply(op, operands, attributes, { y: { shape: dy.shape, dtype: 'f32' } }).y!
      return { loss: sum(mul(y, inputs.dy!)), outputs: { y } }
    })
    expectClose('y', result.y, golden.tensor(`${name}/y`), tolerance)
    for (const [read, key] of Object.entries(gradients)) {
      expectClose(key, result[`gradient/${read}`], golden.tensor(`${name}/${key}`), tolerance)
    }
  })
})
