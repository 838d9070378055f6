/**
 * Operands with a pixel pitch, on every device, in every type that it computes in: the same results as with dense ones, whatever stands
 * between the pixels (NaN here), and nothing is written there.
 */
import { describe, expect, test } from 'vitest'
import { Graph } from '../../src/graph/graph.js'
import { pitchedOperands } from '../../src/graph/pitched_operands.js'
import { run } from '../../src/graph/run.js'
import { serialise } from '../../src/graph/serialise.js'
import { f32, type Shape, type Tensor, type TensorType } from '../../src/graph/tensor.js'
import { vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import { arrayClasses, dtypeOf, isFloat16, type HostArray, type HostTensor } from '../../src/runtime/dtype.js'
import { encodeFloat16 } from '../../src/runtime/float16.js'
import { Plan } from '../../src/runtime/plan.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { inBothTypes } from './both_types.js'
import type { Case, Example } from './cases/case.js'
import { makeDraw } from './cases/draw.js'
import { cases } from './cases/index.js'
import { batchOf, canBeCut, expectResults, missingType, testedDevices, toleranceOf, type Results } from './helpers.js'

/** Elements before and behind the channels of each pixel. `even`: so many behind that rows begin at 32 bytes. */
const places = [
  { before: 0, behind: 5 },
  { before: 3, behind: 2 },
  { before: 8, behind: 'even' },
] as const
type PlaceOf = (typeof places)[number]

const floatTypes = ['f32', 'bf16', 'f16'] as const
type FloatType = (typeof floatTypes)[number]

const outside = 7
const isPitched = (op: OpName, name: string, device: string) =>
  pitchedOperands(op, device).split(' ').includes(name.replace(/\d+$/, ''))

const pitchedCases = (device: string) =>
  cases.filter(each => {
    const { inputs, attributes } = each.make(makeDraw(1, false))
    const { axis } = attributes ?? {}
    return pitchedOperands(each.op, device) !== '' && (axis === undefined || axis === Object.values(inputs)[0]!.shape.length - 1)
  })

function widened(shape: Shape, { before, behind }: PlaceOf): { shape: Shape; pitch: number } {
  const channels = shape.at(-1)!
  const pitch = behind === 'even' ? before + Math.ceil((channels + 1) / 8) * 8 : before + channels + behind
  return { shape: [...shape.slice(0, -1), pitch], pitch }
}

/** The tensor as channels of a wider one that is full of another number. */
function scattered({ shape, data, dtype: float16 }: HostTensor, pitch: number, before: number, between: number): HostArray {
  const channels = shape.at(-1)!
  const dtype = dtypeOf(data, float16)
  const filler = isFloat16(dtype) ? encodeFloat16(Float32Array.of(between), dtype)[0]! : between
  const wide = new arrayClasses[dtype]((data.length / channels) * pitch).fill(filler)
  data.forEach((value, i) => (wide[Math.floor(i / channels) * pitch + before + (i % channels)] = value))
  return wide
}

/** A case with its typed operands in a type. */
function exampleOf(each: Case, dtype: FloatType): Example {
  const draw = makeDraw(1, false)
  if (dtype === 'f32') return each.make(draw)
  const { inputs, attributes, options } = inBothTypes(each, dtype, draw).narrow
  return { inputs, attributes: attributes ?? {}, ...options }
}

async function runPlan(desc: PlanDesc, arrays: Readonly<Record<string, HostArray>>): Promise<Results> {
  using store = await Store.create(desc.device, {})
  using plan = await Plan.create(desc, store)
  return (await plan.run([arrays], { seed: 0, step: 0, learningRates: [] })).outputs
}

/** `dense`: the results of the same example without a pitch; `placeOfY`: where y has one too. */
async function runPitched(
  { op, nonFinite = false }: Case,
  { inputs, attributes = {} }: Example,
  dense: Results,
  device: string,
  place: PlaceOf,
  placeOfY: PlaceOf | undefined,
  chunk: number | undefined,
): Promise<Results> {
  const graph = new Graph()
  const arrays: Record<string, HostArray> = {}
  const reads: Record<string, Tensor> = {}
  const part = (of: Tensor, type: TensorType, name: string, offset: number) => {
    const tensor = graph.tensor(type, name)
    graph.parts.set(tensor, { of, offset, pitch: of.shape.at(-1)! })
    return tensor
  }
  for (const [name, tensor] of Object.entries(inputs)) {
    const type = { dtype: dtypeOf(tensor.data, tensor.dtype), shape: tensor.shape }
    if (!isPitched(op, name, device)) {
      reads[name] = graph.source(type, name, { kind: 'input', name })
      arrays[name] = tensor.data
      continue
    }
    const { shape, pitch } = widened(tensor.shape, place)
    reads[name] = part(graph.source({ ...type, shape }, name, { kind: 'input', name }), type, name, place.before)
    arrays[name] = scattered(tensor, pitch, place.before, NaN)
  }
  const types: Record<string, TensorType> = {}
  for (const [name, { data, shape, dtype }] of Object.entries(dense)) types[name] = { shape, dtype: dtypeOf(data, dtype) }
  if (placeOfY) {
    const { shape } = widened(types.y!.shape, placeOfY)
    const { y } = graph.add('fill', 'outside', {}, { value: outside }, { y: { ...types.y!, shape } })
    const written = part(y!, types.y!, 'y', placeOfY.before)
    graph.add(op, op, reads, attributes, { y: written })
    graph.outputs.set('y', y!)
  } else {
    for (const [name, tensor] of Object.entries(graph.add(op, op, reads, attributes, types))) graph.outputs.set(name, tensor)
  }
  const regions = chunk === undefined ? [] : [{ begin: graph.nodes.length - 1, end: graph.nodes.length, chunk }]
  const plain = { parameters: 'weights', wholeStep: new Set<Tensor>(), layout: new StoreLayout([]) } as const
  return runPlan(serialise(graph, { ...plain, device, checked: !nonFinite, regions }), arrays)
}

/** A pitched y among its surroundings. */
function surrounded({ y, ...others }: Results, place: PlaceOf): Results {
  const { shape, pitch } = widened(y!.shape, place)
  return { ...others, y: { ...y!, shape, data: scattered(y!, pitch, place.before, outside) } }
}

test('every operation that takes a pitch has cases', () => {
  const ops = (Object.keys(vocabulary) as OpName[]).filter(op => pitchedOperands(op, 'cpu') !== '')
  expect(ops.filter(op => !pitchedCases('cpu').some(each => each.op === op))).toEqual([])
})

describe.each(['reference', ...testedDevices])('on %s', device => {
  describe.each(device === 'reference' ? (['f32'] as const) : floatTypes)('in %s', dtype => {
    const missing = missingType(device, dtype)
    if (missing !== undefined) return test.skip(missing)
    test.each(pitchedCases(device))('$op: $name', async each => {
      const example = exampleOf(each, dtype)
      const { inputs, attributes, ...options } = example
      const dense = await run(each.op, inputs, attributes, { ...options, device, checked: !each.nonFinite })
      for (const place of places) {
        const chunk = place === places[0] && canBeCut(each) ? Math.ceil(batchOf(each) / 2) : undefined
        // Where rows do not begin at 16 bytes, threads of a GPU take other channels and sums (all in f32) another order.
        const tolerance = device === 'cuda' && place.behind !== 'even' ? toleranceOf(each) : 0
        for (const placeOfY of isPitched(each.op, 'y', device) ? [place, undefined] : [undefined]) {
          const expected = placeOfY ? surrounded(dense, placeOfY) : dense
          expectResults(await runPitched(each, example, dense, device, place, placeOfY, chunk), expected, tolerance)
        }
      }
    })
  })
})

test('an operand that takes no pitch is refused by its name, and so are a view that reaches too far and an output', async () => {
  const graph = new Graph()
  const x = graph.source(f32([2, 3, 8]), 'x', { kind: 'input', name: 'x' })
  const part = graph.tensor(f32([2, 3, 4]), 'part')
  const { y } = graph.add('relu', 'relu1', { x: part }, {}, { y: f32([2, 3, 4]) })
  graph.outputs.set('y', y!)
  const arrays = { x: new Float32Array(48) }
  const plain = { parameters: 'weights', wholeStep: new Set<Tensor>(), layout: new StoreLayout([]) } as const
  const run = () => runPlan(serialise(graph, { ...plain, device: 'reference', checked: false, regions: [] }), arrays)

  graph.parts.set(part, { of: x, offset: 4, pitch: 8 })
  await expect(run()).rejects.toThrow(/relu1: \[2,3,4\]of 8f32 .*x must be dense, but a pixel of it is 8 elements from the next/)
  graph.nodes[0] = { ...graph.nodes[0]!, op: 'slice', attributes: { begin: [0, 0, 0] } }
  await expect(run()).resolves.toBeDefined()
  graph.parts.set(part, { of: x, offset: 5, pitch: 8 })
  await expect(run()).rejects.toThrow(/'part' reaches beyond its tensor/)
  graph.parts.set(part, { of: x, offset: 0, pitch: 3 })
  await expect(run()).rejects.toThrow(/overlap/)
  graph.parts.set(part, { of: x, offset: 0, pitch: 8 })
  graph.outputs.set('part', part)
  await expect(run()).rejects.toThrow(/output 'part' has a pitch/)
})

test.runIf(testedDevices.includes('cuda'))('an addition takes no pitch on cuda, and says so', async () => {
  const graph = new Graph()
  const x = graph.source(f32([2, 3, 8]), 'x', { kind: 'input', name: 'x' })
  const part = graph.tensor(f32([2, 3, 4]), 'part')
  graph.parts.set(part, { of: x, offset: 0, pitch: 8 })
  graph.outputs.set('y', graph.add('add', 'sum', { a: part, b: part }, {}, { y: f32([2, 3, 4]) }).y!)
  const plain = { parameters: 'weights', wholeStep: new Set<Tensor>(), layout: new StoreLayout([]) } as const
  const run = (device: string) =>
    runPlan(serialise(graph, { ...plain, device, checked: false, regions: [] }), { x: new Float32Array(48) })
  await expect(run('cuda')).rejects.toThrow(/sum: .*a must be dense on a GPU/)
  await expect(run('cpu')).resolves.toBeDefined()
})
