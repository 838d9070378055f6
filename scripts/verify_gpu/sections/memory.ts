// Device memory: how fast it is, and what happens when there is not enough.
import { run } from '../../../src/graph/run.js'
import { Graph } from '../../../src/graph/graph.js'
import { serialise } from '../../../src/graph/serialise.js'
import { compile } from '../../../src/graph/session.js'
import { ReLU } from '../../../src/nn/index.js'
import { OutOfMemory } from '../../../src/runtime/errors.js'
import { Plan } from '../../../src/runtime/plan.js'
import { Store } from '../../../src/runtime/store.js'
import { StoreLayout } from '../../../src/runtime/store_layout.js'
import { Skip, type Reporter } from '../reporter.js'

export async function memory(reporter: Reporter): Promise<void> {
  const { device, small } = reporter.settings
  await reporter.case('bandwidth', () => bandwidth(reporter, small ? 2 ** 14 : 2 ** 28, small ? 2 : 20))
  await reporter.case('too little memory is an error that the device survives', async () => {
    if (small) throw new Skip('the simulated GPU would have to give the memory')
    const shape = [1 << 14, 1 << 10, 1 << 10, 1]
    try {
      const session = await compile(new ReLU(), { inputs: { x: { shape } }, device })
      session.dispose()
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
    }
    const { y } = await run('relu', { x: { shape: [2], data: new Float32Array([-1, 2]) } }, {}, { device })
    if (y!.data[0] !== 0 || y!.data[1] !== 2) throw new Error(`afterwards relu gives ${[...y!.data].join(', ')}`)
  })
}

/** Our own kernels on tensors of `elements` floats that never leave the device; the best of several runs counts. */
async function bandwidth(reporter: Reporter, elements: number, runs: number): Promise<void> {
  const { device } = reporter.settings
  const graph = new Graph()
  const type = { dtype: 'f32', shape: [elements] } as const
  const fill = (value: number) => graph.add('fill', `fill${value}`, {}, { value }, { y: type }).y!
  const sum = graph.add('add', 'add', { a: fill(1), b: fill(2) }, {}, { y: type }).y!
  const reduced = graph.add('reduce', 'reduce', { x: sum }, { fn: 'max', axes: [0] }, { y: { dtype: 'f32', shape: [1] } }).y!
  graph.outputs.set('y', reduced)
  using store = await Store.create(device, {})
  const layout = new StoreLayout([])
  const options = { device, checked: false, layout, parameters: 'weights', regions: [] } as const
  using plan = await Plan.create(serialise(graph, { ...options, wholeStep: new Set() }), store)
  const best = new Map<string, number>()
  for (let i = 0; i < runs; i++) {
    const { outputs, nodeSeconds } = await plan.run([{}], { profile: true })
    if (outputs.y!.data[0] !== 3) throw new Error(`1 + 2 gave ${outputs.y!.data[0]}`)
    plan.desc.nodes.forEach(({ op }, node) => best.set(op, Math.min(best.get(op) ?? Infinity, nodeSeconds[node]!)))
  }
  for (const [op, tensors] of Object.entries({ fill: 1, add: 3, reduce: 1 })) {
    const bytes = tensors * elements * 4
    const seconds = best.get(op)!
    reporter.row({
      operation: op,
      'bytes moved': bytes,
      milliseconds: (seconds * 1000).toFixed(3),
      'GB/s': Math.round(bytes / seconds / 1e9),
    })
  }
}
