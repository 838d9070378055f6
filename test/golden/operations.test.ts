/** Every operation, by itself, against PyTorch: the cases of layers.safetensors. */
import { describe, expect, test } from 'vitest'
import type { Attributes } from '../../src/graph/graph.js'
import { run } from '../../src/graph/run.js'
import { operandNames, vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import { dtypeOf, type HostTensor } from '../../src/runtime/dtype.js'
import { testedDevices } from '../native/helpers.js'
import { expectClose, openGolden } from './golden_file.js'

interface Case {
  readonly op: OpName
  readonly name: string
  readonly attributes: Attributes
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  readonly step?: { readonly learningRate: readonly number[] }
}

// Of the largest expected value. The reference computes in double: two roundings to f32, 6e-8 each. The CPU backend sums
// up to 324 products in f32, whose roundings add up to about sqrt(324)·6e-8 = 1e-6; so does a GPU.
const toleranceOf = (device: string) => (device === 'reference' ? 1.5e-7 : 4e-6)

const golden = await openGolden('layers.safetensors')
const cases = golden.metadata('cases') as Case[]

test('there is a case of every operation whose answer PyTorch knows', () => {
  const without = Object.keys(vocabulary).filter(op => !cases.some(each => each.op === op))
  expect(without).toEqual(['dropout', 'dropoutBwd', 'fill', 'sum'])
})

const joined = (tensors: readonly HostTensor[]) => {
  const data = Float32Array.from(tensors.flatMap(tensor => [...tensor.data]))
  return { shape: [data.length], data }
}

/** The golden file has the statistics of a layer one by one; the operation takes those of all layers in flat arenas. */
function runningUpdate(device: string, inputs: Readonly<Record<string, HostTensor>>, { momentum, count }: Attributes) {
  const { mean, variance, state, runningMean, runningVariance } = inputs as Record<string, HostTensor>
  const channels = mean!.data.length
  return run(
    'bnRunningUpdate',
    { statistics: joined([mean!, variance!]), state: state!, running: joined([runningMean!, runningVariance!]) },
    { ranges: [0, 0, channels, channels], momentum: [momentum as number], count: [count as number] },
    { device },
  )
}

describe.each(['reference', ...testedDevices])('on %s', device => {
  test.each(cases)('$op: $name', async ({ op, name, attributes, reads, writes, step }) => {
    const key = (operand: string) => `${name}/${operand}`
    const inPlace = writes.filter(operand => reads.includes(operand))
    const expected = new Map(writes.map(w => [w, golden.tensor(inPlace.includes(w) ? `${key(w)}.after` : key(w))]))
    // Only operands of its own have a type to be given.
    const outputs = writes.filter(w => !inPlace.includes(w)).map(w => [w, expected.get(w)!] as const)
    const types = outputs.map(([w, { shape, data }]) => [w, { shape, dtype: dtypeOf(data) }] as const)
    const inputs = Object.fromEntries(reads.map(r => [r, golden.tensor(key(r))]))
    if (op === 'bnRunningUpdate') {
      const { running } = await runningUpdate(device, inputs, attributes)
      const both = [expected.get('runningMean')!, expected.get('runningVariance')!]
      expectClose('running', running, joined(both), toleranceOf(device))
      return
    }
    const result = await run(op, inputs, attributes, {
      device,
      outputs: Object.fromEntries(types),
      learningRates: step?.learningRate ?? [],
    })
    for (const [operand, tensor] of expected) expectClose(operand, result[operand], tensor, toleranceOf(device))
    expect(operandNames(vocabulary[op].writes)).toEqual(expect.arrayContaining(Object.keys(result)))
  })
})
