// Where a training step's time goes on the CPU, by operation, tiled and not: npm run bench -- profile MODEL BATCH SIZE
import { fromBatches } from '../src/data/index.js'
import { create } from '../src/models/index.js'
import { sgd } from '../src/optim/index.js'
import { Plan } from '../src/runtime/plan.js'
import { state, Store } from '../src/runtime/store.js'
import { StoreLayout } from '../src/runtime/store_layout.js'
import { StreamFeed } from '../src/train/feed.js'
import { arenasFor, trainingPlan } from '../src/train/training_plan.js'
import { median } from './statistics.js'
import { table } from './table.js'

const steps = 7
const numClasses = 10

/** Prints a table for a model, a batch size and the side of an image in pixels. */
export async function profileStep(name: string, batchSize: number, size: number): Promise<void> {
  const model = create(name, { numClasses, inChannels: 3 })
  model.assignNames()
  const layout = new StoreLayout(model.parameters())
  const optimizer = sgd({ lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 })
  async function* none() {
    // The batches are given to the plan directly.
  }
  const stream = fromBatches({ train: none, shape: [size, size, 3], numClasses, batchesPerEpoch: 1, imageType: 'f32' })
  const store = await Store.create('cpu', arenasFor(layout, optimizer, undefined))
  for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
  await store.write('state', state.lossScale, Float32Array.of(1))
  const images = new Float32Array(batchSize * size * size * 3).map((_, i) => Math.sin(i * 0.37))
  const labels = new Int32Array(batchSize).map((_, i) => i % numClasses)

  /** Milliseconds of the step and, measured apart, of each operation: the best of the steps. */
  async function measure(tiled: boolean) {
    const common = { model, layout, device: 'cpu', tiled, checked: false, numClasses, loss: undefined, labelSmoothing: 0 }
    const training = { ...common, optimizer, ema: undefined, accumulate: 1, clipGradNorm: 0 }
    const { desc } = trainingPlan(new StreamFeed(stream, batchSize, stream.shape, none), training)
    using plan = await Plan.create(desc, store)
    const run = (profile: boolean) => plan.run([{ images, labels }], { learningRates: [0.01], profile })
    await run(false)
    const times: number[] = []
    const nodes = desc.nodes.map(() => Infinity)
    for (let i = 0; i < steps; i++) {
      const start = performance.now()
      await run(false)
      times.push(performance.now() - start)
      const { nodeSeconds } = await run(true)
      nodeSeconds.forEach((seconds, node) => (nodes[node] = Math.min(nodes[node]!, seconds * 1000)))
    }
    const operations = new Map<string, number>()
    desc.nodes.forEach(({ op }, i) => operations.set(op, (operations.get(op) ?? 0) + nodes[i]!))
    return { step: `${Math.min(...times).toFixed(1)} (median ${median(times).toFixed(1)})`, operations }
  }

  const tiled = await measure(true)
  const whole = await measure(false)
  store.dispose()
  const rows = [...whole.operations].sort(([, a], [, b]) => b - a).filter(([, milliseconds]) => milliseconds >= 0.1)
  console.log(`Training step of ${name}, batch ${batchSize}, ${size}x${size}: ms, best of ${steps}`)
  console.log(
    table(
      ['', 'tiled', 'not tiled'],
      [
        ['whole step', tiled.step, whole.step],
        ...rows.map(([op, milliseconds]) => [op, (tiled.operations.get(op) ?? 0).toFixed(1), milliseconds.toFixed(1)]),
      ],
    ),
  )
}
