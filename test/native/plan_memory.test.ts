/** The arena: how well it is packed, and that nothing in it overlaps. */
import { describe, expect, test } from 'vitest'
import * as f from '../../src/graph/functions.js'
import { Graph } from '../../src/graph/graph.js'
import { serialise } from '../../src/graph/serialise.js'
import type { Tensor } from '../../src/graph/tensor.js'
import * as models from '../../src/models/index.js'
import { eraseReLU } from '../../src/erase.js'
import { sgd } from '../../src/optim/index.js'
import type { HostArray } from '../../src/runtime/dtype.js'
import { deviceInfo } from '../../src/runtime/devices.js'
import { Plan } from '../../src/runtime/plan.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { arenasFor } from '../../src/train/training_plan.js'
import { shallow } from '../models/shallow.js'
import { traced } from '../graph/traced.js'
import { evaluationDesc, trainingDesc } from '../graph/training_desc.js'
import { digest } from '../train/training.js'
import { missingType } from './helpers.js'

const made = new Map<string, models.Classifier>()
function modelOf(name: string): models.Classifier {
  const model = made.get(name) ?? models.create(name, { numClasses: 10 })
  made.set(name, model)
  return model
}

/** A plan of a graph as it stands. */
const plain = {
  device: 'cpu',
  checked: false,
  layout: new StoreLayout([]),
  parameters: 'weights',
  regions: [],
  wholeStep: new Set<Tensor>(),
} as const

async function memoryOf(desc: PlanDesc) {
  using store = await Store.create('cpu', {})
  using plan = await Plan.create(desc, store)
  return plan.memory
}

describe.each([false, true])('erased: %o', erased => {
  test.each(shallow)('the arena of $name is near the live peak', async ({ name, options, size, erase = {} }) => {
    // Most of this one is gradient, whose pieces lie side by side: what goes between them is not free to lie anywhere.
    const most = name === 'vgg11_bn' ? 1.06 : 1.02
    const model = models.create(name, { ...options, numClasses: 10 })
    const shape = [8, 2 * size, 2 * size, 3]
    eraseReLU(model, erased ? erase : { proportion: 0 })
    for (const desc of [
      trainingDesc(model, shape),
      trainingDesc(model, shape, { disabledPasses: ['tile'] }),
      evaluationDesc(model, shape),
    ]) {
      const { arena, livePeak, largest } = await memoryOf(desc)
      expect(livePeak).toBeGreaterThan(largest[0]!.bytes)
      expect(arena).toBeGreaterThanOrEqual(livePeak)
      expect(arena / livePeak).toBeLessThanOrEqual(most)
    }
  })
})

describe.runIf(missingType('cpu', 'bf16') === undefined)('bf16', () => {
  test.each(['maxPoolBwd', 'avgPoolBwd'] as const)('%s adds up in a row of floats a thread', async op => {
    const graph = new Graph()
    const shape = [2, 64, 64, 32]
    const dy = graph.source({ dtype: 'bf16', shape: [2, 32, 32, 32] }, 'dy', { kind: 'input', name: 'dy' })
    const argmax = graph.source({ dtype: 'u8', shape: dy.shape }, 'argmax', { kind: 'input', name: 'argmax' })
    const window = { kernel: [2, 2], stride: [2, 2], pad: [0, 0, 0, 0] }
    const own = op === 'maxPoolBwd' ? { reads: { dy, argmax } } : { reads: { dy }, countIncludePad: 0 }
    const { reads, ...attributes } = own
    const { dx } = graph.add(op, op, reads, { ...window, ...attributes }, { dx: { dtype: 'bf16', shape } })
    graph.outputs.set('dx', dx!)
    const { arena } = await memoryOf(serialise(graph, plain))
    const { threads } = deviceInfo('cpu')
    expect(arena).toBeLessThan(2 * dx!.size + threads * 64 * 32 * 4 + 4096)
  })
})

test('the gradient takes its memory as the backward pass goes on', async () => {
  // Large weights and a small batch: what is alive at the end is the whole gradient, and little else.
  const model = modelOf('resnet50')
  eraseReLU(model, { proportion: 0 })
  const desc = trainingDesc(model, [2, 64, 64, 3])
  const gradient = desc.tensors.filter(({ name }) => name === 'gradient').reduce((sum, { shape }) => sum + 4 * shape[0]!, 0)
  const { arena, livePeak } = await memoryOf(desc)
  const activations = await memoryOf(evaluationDesc(model, [2, 64, 64, 3]))
  expect(gradient).toBeGreaterThan(80e6)
  expect(livePeak).toBeGreaterThan(gradient)
  expect(arena).toBeLessThan(1.15 * gradient)
  expect(activations.arena).toBeLessThan(gradient)
})

test('filters are packed in the launch that reads them where a step changes them, and kept packed where it does not', async () => {
  const packedOf = async (desc: PlanDesc) => (await memoryOf(desc)).packed
  const model = modelOf('resnet20')
  const shape = [8, 32, 32, 3]
  expect(await packedOf(trainingDesc(model, shape))).toBe(0)
  expect(await packedOf(trainingDesc(model, shape, { accumulate: 2 }))).toBeGreaterThan(0)
  expect(await packedOf(evaluationDesc(model, shape))).toBeGreaterThan(0)
})

test('erasing takes memory away', async () => {
  const model = modelOf('resnet20')
  eraseReLU(model, { proportion: 0 })
  const planned = () => memoryOf(trainingDesc(model, [32, 32, 32, 3], { disabledPasses: ['own-convolutions'] })) // they need more scratch
  const baseline = await planned()
  eraseReLU(model)
  const erased = await planned()
  // At least the nine masks: one bit an element of each block's output.
  const masks = (3 * 32 * (32 * 32 * 16 + 16 * 16 * 32 + 8 * 8 * 64)) / 8
  expect(baseline.livePeak - erased.livePeak).toBeGreaterThanOrEqual(masks)
})

/** Runs a plan as it is, and with memory of its own for every buffer and guards between them. */
async function sharedAndApart(
  desc: PlanDesc,
  layout: StoreLayout,
  arrays: (step: number) => Record<string, HostArray>,
  steps: number,
) {
  const results = []
  for (const checked of [false, true]) {
    using store = await Store.create('cpu', arenasFor(layout, sgd({ lr: 0.1, momentum: 0.9 }), undefined))
    const initial = Float32Array.from({ length: layout.size }, (_, i) => Math.sin(i * 12.9898) * 0.2)
    if (layout.size > 0) await store.write('weights', 0, initial)
    await store.write('state', 5, Float32Array.of(1))
    using plan = await Plan.create({ ...desc, checked }, store)
    const seen: string[] = []
    for (let step = 0; step < steps; step++) {
      const { outputs } = await plan.run([arrays(step)], { step, seed: 1, learningRates: [0.1] })
      for (const [name, { data }] of Object.entries(outputs)) seen.push(`${name} ${digest(data)}`)
    }
    if (layout.size > 0) seen.push(`weights ${digest(await store.read('weights'))}`)
    results.push({ seen, arena: plan.memory.arena })
  }
  return results
}

const values = (length: number, salt: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * 78.233 + salt))

describe('shared memory changes no bit', () => {
  test.each([
    ['resnet20', 136, 32, 2],
    ['resnet50', 3, 32, 1],
  ] as const)('a training step of %s', async (name, batch, size, steps) => {
    const model = modelOf(name)
    const desc = trainingDesc(model, [batch, size, size, 3])
    const arrays = (step: number) => ({
      images: values(batch * size * size * 3, step),
      labels: Int32Array.from({ length: batch }, (_, i) => i % 10),
    })
    const [shared, apart] = await sharedAndApart(desc, new StoreLayout(model.parameters()), arrays, steps)
    expect(shared!.seen).toEqual(apart!.seen)
    expect(shared!.arena).toBeLessThan(apart!.arena)
  })

  test('nor do concats that are placed in one buffer', async () => {
    const model = modelOf('densenet_bc_40_12')
    const layout = new StoreLayout(model.parameters())
    const arrays = (step: number) => ({
      images: values(4 * 16 * 16 * 3, step),
      labels: Int32Array.from({ length: 4 }, (_, i) => i % 10),
    })
    const [placed, copied] = [[], ['place-concats'] as const].map(each =>
      trainingDesc(model, [4, 16, 16, 3], { disabledPasses: ['tile', ...each] }),
    ) as [PlanDesc, PlanDesc]
    const [here, apart] = await sharedAndApart(placed, layout, arrays, 2)
    const [there] = await sharedAndApart(copied, layout, arrays, 2)
    expect(here!.seen).toEqual(apart!.seen)
    expect(here!.seen).toEqual(there!.seen)
    expect(here!.arena).toBeLessThan(there!.arena)
  })

  test.each(Array.from({ length: 24 }, (_, seed) => seed))('random graph %i', async seed => {
    const { graph, y } = traced({ a: [4, 6, 6, 4], b: [4, 6, 6, 4] }, ({ a, b }) => randomNet(seed, a, b))
    graph.outputs.set('y', y)
    const desc = serialise(graph, plain)
    const arrays = (step: number) => ({ a: values(576, step), b: values(576, step + 10) })
    const [shared, apart] = await sharedAndApart(desc, new StoreLayout([]), arrays, 2)
    expect(shared!.seen).toEqual(apart!.seen)
  })
})

/** A tangle of operations that keep the shape: any earlier tensor may be read again. */
function randomNet(seed: number, a: Tensor, b: Tensor): Tensor {
  let state = seed + 1
  const pick = (n: number) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8) % n
  const alive = [a, b]
  const any = () => alive[pick(alive.length)]!
  const makers: (() => Tensor)[] = [
    () => f.relu(any()),
    () => f.add(any(), any()),
    () => f.mul(any(), f.sigmoid(any())),
    () => f.slice(f.concat([any(), any()]), [0, 0, 0, 2], [4, 6, 6, 4]),
    () => f.maxPool2d(any(), { kernel: 3, stride: 1, padding: 1 }),
    () => f.conv2d(any(), f.reshape(f.tanh(f.slice(any(), [0, 0, 0, 0], [4, 1, 1, 4])), [4, 1, 1, 4])),
    () => f.sub(any(), f.mean(any(), [1, 2])),
    () => f.reshape(f.neg(f.reshape(any(), [4, -1])), [4, 6, 6, 4]),
    () => f.tanh(any()),
  ]
  for (let i = 0; i < 25; i++) alive.push(makers[pick(makers.length)]!())
  return alive.reduce((sum, tensor, i) => (i % 3 === 0 ? f.add(sum, tensor) : sum))
}
