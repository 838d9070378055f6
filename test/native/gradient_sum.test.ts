/** bnBwdApply and the addition behind it, which the CPU makes one kernel: the same bits as one after the other. */
import { describe, expect, test } from 'vitest'
import { Graph } from '../../src/graph/graph.js'
import { run } from '../../src/graph/run.js'
import { serialise } from '../../src/graph/serialise.js'
import type { Tensor, TensorType } from '../../src/graph/tensor.js'
import { dtypeOf, type HostArray, type HostTensor } from '../../src/runtime/dtype.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { inBothTypes, narrowed } from './both_types.js'
import type { Case, Example } from './cases/case.js'
import { makeDraw } from './cases/draw.js'
import { cases } from './cases/index.js'
import { expectResults, missingType, testedDevices, type Results } from './helpers.js'

type FloatType = 'f32' | 'bf16'

interface Way {
  /** The addend is the first channels of a wider tensor, of which the sum takes the place. */
  readonly pitched?: boolean
  /** dx is a result too, so it has to be written. */
  readonly shown?: boolean
  /** Before the addend. */
  readonly first?: boolean
}

const gradients = cases.filter(({ op }) => op === 'bnBwdApply')
const behind = 5
const plain = {
  parameters: 'weights',
  checked: false,
  regions: [],
  wholeStep: new Set<Tensor>(),
  layout: new StoreLayout([]),
} as const

function exampleOf(each: Case, dtype: FloatType): Example {
  const draw = makeDraw(1, false)
  if (dtype === 'f32') return each.make(draw)
  const { inputs, attributes, options } = inBothTypes(each, dtype, draw).narrow
  return { inputs, attributes: attributes ?? {}, ...options }
}

/** Both operations in one plan. The sum is that with all that the addend is a part of. */
async function together(example: Example, values: HostTensor, device: string, { pitched, shown, first }: Way) {
  const graph = new Graph()
  const arrays: Record<string, HostArray> = {}
  const source = (name: string, { data, shape, dtype }: HostTensor) => {
    arrays[name] = data
    return graph.source({ dtype: dtypeOf(data, dtype), shape }, name, { kind: 'input', name })
  }
  const reads = Object.fromEntries(Object.entries(example.inputs).map(([name, tensor]) => [name, source(name, tensor)]))
  const type: TensorType = { dtype: reads.dy!.dtype, shape: reads.dy!.shape }
  // The sum takes the place of memory that is the plan's own.
  const x = source('values', values)
  const { y: buffer } = graph.add('relu', 'buffer', { x }, {}, { y: { dtype: x.dtype, shape: x.shape } })
  const part = (name: string) => {
    const tensor = graph.tensor(type, name)
    graph.parts.set(tensor, { of: buffer!, offset: 0, pitch: x.shape.at(-1)! })
    return tensor
  }
  const { dx, ...others } = graph.add('bnBwdApply', 'norm', reads, example.attributes ?? {}, {
    dx: type,
    ...(example.outputs?.dresidual && { dresidual: type }),
  })
  const addend = pitched ? part('addend') : buffer!
  const { y } = graph.add(
    'add',
    'sum',
    first ? { a: dx!, b: addend } : { a: addend, b: dx! },
    {},
    { y: pitched ? part('sum') : type },
  )
  graph.outputs.set('sum', pitched ? buffer! : y!)
  for (const [name, tensor] of Object.entries({ ...(shown && { dx: dx! }), ...others })) graph.outputs.set(name, tensor)
  using store = await Store.create(device, {})
  using plan = await Plan.create(serialise(graph, { ...plain, device }), store)
  const { outputs } = await plan.run([arrays], { seed: 0, step: 0, learningRates: [] })
  return { results: outputs, engines: plan.engines }
}

async function oneByOne(example: Example, values: HostTensor, device: string, { shown }: Way): Promise<Results> {
  const { inputs, attributes, outputs = {} } = example
  const { dx, ...others } = await run('bnBwdApply', inputs, attributes, { outputs, device })
  const sum = (await run('relu', { x: values }, {}, { device })).y!
  const [channels, all] = [dx!.shape.at(-1)!, values.shape.at(-1)!]
  const placeOf = (i: number) => Math.floor(i / channels) * all + (i % channels)
  const addend = { ...dx!, data: dx!.data.map((_, i) => sum.data[placeOf(i)]!) } as HostTensor
  const { y } = await run('add', { a: addend, b: dx! }, {}, { device })
  y!.data.forEach((value, i) => (sum.data[placeOf(i)] = value))
  return { sum, ...(shown && { dx: dx! }), ...others }
}

describe.each(testedDevices)('on %s', device => {
  describe.each(['f32', 'bf16'] as const)('in %s', dtype => {
    const missing = missingType(device, dtype)
    if (missing !== undefined) return test.skip(missing)
    test.each(gradients)('$name', async each => {
      const example = exampleOf(each, dtype)
      const { shape } = example.inputs.dy!
      for (const way of [{}, { shown: true }, { first: true }, { pitched: true }] as Way[]) {
        if (way.pitched && device === 'cuda') continue
        const wide = way.pitched ? [...shape.slice(0, -1), shape.at(-1)! + behind] : shape
        const drawn = makeDraw(2, false).values(wide)
        const values = dtype === 'f32' ? drawn : narrowed(drawn, dtype)
        const { results, engines } = await together(example, values, device, way)
        expectResults(results, await oneByOne(example, values, device, way), 0)
        const isOne = device === 'cpu' && !way.shown && !way.first && !example.outputs?.dresidual
        expect(engines.includes('loops of bnBwdApply and the addition')).toBe(isOne)
      }
    })
  })
})
