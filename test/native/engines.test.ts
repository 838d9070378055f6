/** No convolution of the ResNets falls back to a plain loop of the library: their training and inference are fast everywhere. */
import { describe, expect, test } from 'vitest'
import { crossEntropy } from '../../src/graph/functions.js'
import { compile } from '../../src/graph/session.js'
import * as models from '../../src/models/index.js'
import { sgd } from '../../src/optim/index.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { arenasFor } from '../../src/train/training_plan.js'
import { GradientPlan } from '../golden/gradients_of.js'
import { trainingDesc } from '../graph/training_desc.js'

const networks = [
  { name: 'resnet20', options: { numClasses: 10 }, shape: [128, 32, 32, 3] },
  { name: 'resnet18', options: { numClasses: 1000 }, shape: [2, 224, 224, 3] },
  { name: 'resnet50', options: { numClasses: 1000 }, shape: [2, 224, 224, 3] },
] as const

const slow = (engines: readonly { op: string; engine: string }[]) =>
  engines.filter(({ op, engine }) => op.startsWith('conv2d') && engine.includes('ref'))

/** Larger batches, which are cut into chunks: the shapes that training really uses. */
const trainings = [
  { name: 'resnet20', shape: [128, 32, 32, 3] },
  { name: 'resnet20', shape: [200, 28, 28, 3] },
  { name: 'resnet18', shape: [24, 224, 224, 3] },
  { name: 'resnet50', shape: [16, 224, 224, 3] },
] as const

test.each(trainings)('the tiled training step of $name at $shape', async ({ name, shape }) => {
  const model = models.create(name, { numClasses: 10 })
  const desc = trainingDesc(model, shape)
  using store = await Store.create(
    'cpu',
    arenasFor(new StoreLayout(model.parameters()), sgd({ lr: 0.1, momentum: 0.9 }), undefined),
  )
  using plan = await Plan.create(desc, store)
  expect(desc.regions.length).toBeGreaterThan(0)
  expect(slow(plan.engines.map((engine, i) => ({ op: desc.nodes[i]!.op, engine })))).toEqual([])
})

describe.each(networks)('$name', ({ name, options, shape }) => {
  test('inference', async () => {
    using session = await compile(models.create(name, options), { inputs: { x: { shape } } })
    expect(session.engines.some(({ op }) => op === 'conv2d')).toBe(true)
    expect(slow(session.engines)).toEqual([])
  })

  test('training', async () => {
    const model = models.create(name, options)
    model.assignNames()
    const inputs = {
      x: { shape, data: new Float32Array(shape.reduce((product, dim) => product * dim, 1)) },
      labels: { shape: [shape[0]], data: new Int32Array(shape[0]) },
    }
    using plan = await GradientPlan.create('cpu', model.parameters(), inputs, ({ x, labels }) => ({
      loss: crossEntropy(model(x!), labels!),
      outputs: {},
    }))
    const operations = new Set(plan.engines.map(({ op }) => op))
    for (const op of ['conv2d', 'conv2dBwdData', 'conv2dBwdFilter']) expect(operations).toContain(op)
    expect(slow(plan.engines)).toEqual([])
  })
})
