/** Dropout of whole packs of elements, which GPU kernels draw block by block: each microbatch of a step drops others, by the formula. */
import { describe, expect, test } from 'vitest'
import { Graph } from '../../src/graph/graph.js'
import { serialise } from '../../src/graph/serialise.js'
import { f32 } from '../../src/graph/tensor.js'
import { devices } from '../../src/runtime/devices.js'
import { philoxUniform } from '../../src/runtime/philox.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'

const shape = [4, 16]
const elements = 64
const [p, opId, seed, step] = [0.25, 3, 2 ** 40 + 5, 7]

/** total = Σ of scale · dropout(1) over the microbatches, by powers of two: which elements each one dropped can be read off it. */
test.each(devices())('on %s', async device => {
  const graph = new Graph()
  const x = graph.source(f32(shape), 'x', { kind: 'input', name: 'x' })
  const { y } = graph.add('dropout', 'dropout', { x }, { p, opId }, { y: f32(shape) })
  const total = graph.tensor(f32(shape), 'total')
  graph.add('sum', 'sum', { x: y, total }, {}, { total })
  graph.outputs.set('total', total)
  const options = { device, checked: true, layout: new StoreLayout([]), parameters: 'weights', regions: [] } as const
  using store = await Store.create(device, {})
  using plan = await Plan.create(serialise(graph, { ...options, wholeStep: new Set([total]) }), store)
  const values = [1, 2, 4].map(scale => 3 * scale)
  const { outputs } = await plan.run(
    values.map(value => ({ x: new Float32Array(elements).fill(value) })),
    { seed, step },
  )
  const kept = (e: number, k: number) => philoxUniform(seed, step, opId, e + k * elements) >= p
  const expected = Array.from({ length: elements }, (_, e) =>
    values.reduce((sum, value, k) => sum + (kept(e, k) ? value / (1 - p) : 0), 0),
  )
  expect([...outputs.total!.data]).toEqual(expected)
})

describe('the formula', () => {
  test('keeps about three of four, others in each microbatch', () => {
    const masks = [0, 1, 2].map(k =>
      Array.from({ length: elements }, (_, e) => philoxUniform(seed, step, opId, e + k * elements) >= p),
    )
    for (const mask of masks) expect(mask.filter(Boolean).length / elements).toBeGreaterThan(0.5)
    expect(masks[0]).not.toEqual(masks[1])
    expect(masks[1]).not.toEqual(masks[2])
  })
})
