/** Several microbatches of one step: sums start afresh with the first, dropout draws other numbers for each, the norm is the mean's. */
import { describe, expect, test } from 'vitest'
import { Graph } from '../../src/graph/graph.js'
import { serialise } from '../../src/graph/serialise.js'
import { f32 } from '../../src/graph/tensor.js'
import { devices } from '../../src/runtime/devices.js'
import { philoxUniform } from '../../src/runtime/philox.js'
import { Plan } from '../../src/runtime/plan.js'
import { state as index, Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'

const shape = [2, 3]
const microbatches = [1, 2, 3].map(factor => ({ x: Float32Array.of(4, -4, 8, 16, -8, 12).map(value => factor * value) }))
const [p, opId, seed, step] = [0.5, 6, 2 ** 33 + 1, 9]

/** total = sum of dropout(x) over the microbatches; then the gradient norm, as if it were a gradient. */
function makeGraph() {
  const graph = new Graph()
  const x = graph.source(f32(shape), 'x', { kind: 'input', name: 'x' })
  const { y } = graph.add('dropout', 'dropout', { x }, { p, opId }, { y: f32(shape) })
  const total = graph.tensor(f32(shape), 'total')
  graph.add('sum', 'sum', { x: y, total }, {}, { total })
  const gradient = graph.add('reshape', 'flat', { x: total }, {}, { y: f32([6]) }).y
  const state = graph.source(f32([index.size]), 'state', { kind: 'arena', arena: 'state' })
  graph.add('gradNorm', 'norm', { gradient, state }, { maxNorm: 0 }, { state }, 'update')
  graph.outputs.set('total', total).set('state', state)
  return { graph, total }
}

/** The same from the formula: element e of microbatch k is kept if the number of element e + 6k is at least p. */
function expectedTotal(): number[] {
  const kept = (e: number, k: number) => philoxUniform(seed, step, opId, e + 6 * k) >= p
  return microbatches[0]!.x.reduce<number[]>(
    (list, _, e) => [...list, microbatches.reduce((sum, { x }, k) => sum + (kept(e, k) ? x[e]! / (1 - p) : 0), 0)],
    [],
  )
}

describe.each(devices())('on %s', device => {
  test('sum, dropout and gradNorm over three microbatches, twice', async () => {
    const { graph, total } = makeGraph()
    using store = await Store.create(device, { state: index.size })
    await store.write('state', index.lossScale, Float32Array.of(2))
    const options = { device, checked: true, layout: new StoreLayout([]), parameters: 'weights', regions: [] } as const
    using plan = await Plan.create(serialise(graph, { ...options, wholeStep: new Set([total]) }), store)
    for (const updates of [1, 2]) {
      const { outputs } = await plan.run(microbatches, { seed, step })
      const totals = expectedTotal()
      expect([...outputs.total!.data]).toEqual(totals)
      const state = outputs.state!.data
      expect(state[index.norm]).toBeCloseTo(Math.hypot(...totals) / (2 * 3), 4)
      expect(state[index.scale]).toBeCloseTo(1 / (2 * 3), 6)
      expect([state[index.finite], state[index.updates], state[index.skipped]]).toEqual([1, updates, 0])
    }
  })
})
