/** The accounting: bytes and arithmetic of a small network by hand, the ideal traffic of ResNet-50, and the limits. */
import { describe, expect, test } from 'vitest'
import { planStep } from '../../src/cli/random_training.js'
import { accountOf, predict } from '../../src/cli/roofline.js'
import { gpus } from '../../src/cli/gpus.js'
import { eraseReLU } from '../../src/erase.js'
import { costsOf } from '../../src/graph/cost.js'
import { launchesOf } from '../../src/graph/cuda_launches.js'
import { add, concat, flatten, globalAvgPool, relu, reshape } from '../../src/graph/functions.js'
import { idealTraffic } from '../../src/graph/ideal_traffic.js'
import { livePeak } from '../../src/graph/live_peak.js'
import { precisions, type Precision } from '../../src/graph/precision.js'
import type { Parameter } from '../../src/graph/parameter.js'
import { rules } from '../../src/graph/rules/index.js'
import { serialise } from '../../src/graph/serialise.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { create } from '../../src/models/index.js'
import * as nn from '../../src/nn/index.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { traced } from './traced.js'
import { trainingDesc } from './training_desc.js'

/** Bytes, floating-point operations and launches of all nodes of an operation. */
function totals(desc: PlanDesc) {
  const of = new Map<string, [bytes: number, flops: number, launches: number]>()
  for (const { node, bytes, flops } of costsOf(desc)) {
    const [b, f, l] = of.get(node.op) ?? [0, 0, 0]
    of.set(node.op, [b + bytes, f + flops, l + launchesOf(desc, node)])
  }
  return Object.fromEntries(of)
}

test('a small network in f32, by hand', () => {
  class Small extends nn.Module {
    conv = new nn.Conv2d(3, 8, 3, { padding: 1, bias: false })
    bn = new nn.BatchNorm2d(8)
    relu = new nn.ReLU()
    fc = new nn.Linear(8, 10)
    forward(x: Tensor) {
      return this.fc(flatten(globalAvgPool(this.relu(this.bn(this.conv(x))))))
    }
  }
  const [n, pixels] = [4, 6 * 6]
  const desc = trainingDesc(new Small(), [n, 6, 6, 3], { device: 'cuda' })
  const [x, y, filter, features, scores] = [n * pixels * 3, n * pixels * 8, 8 * 9 * 3, n * 8, n * 10]
  const trained = filter + 8 + 8 + 8 * 10 + 10
  const vectors = (count: number) => count * 8
  expect(totals(desc)).toEqual({
    conv2d: [4 * (x + filter + y) + 4 * (features + 80 + 10 + scores), 2 * y * 27 + 2 * scores * 8, 2],
    bnStats: [4 * (y + vectors(3)), 0, 2],
    bnApply: [4 * (2 * y + vectors(4)), 0, 1],
    globalAvgPool: [4 * (y + features), 0, 1],
    softmaxCrossEntropy: [4 * (2 * scores + n + 4), 0, 3],
    biasBwd: [4 * (scores + 10), 0, 2],
    conv2dBwdFilter: [4 * (scores + features + 80) + 4 * (y + x + filter), 2 * scores * 8 + 2 * y * 27, 2],
    conv2dBwdData: [4 * (scores + 80 + features), 2 * scores * 8, 1],
    globalAvgPoolBwd: [4 * (features + y), 0, 1],
    bnBwdReduce: [4 * (2 * y + vectors(4 + 2)), 0, 2],
    bnBwdApply: [4 * (3 * y + vectors(6)), 0, 1],
    gradNorm: [4 * (trained + 1 + 2 * 16), 0, 2],
    bnRunningUpdate: [4 * (16 + 16 + 16 + 16), 0, 1],
    sgdUpdate: [4 * (trained + 16 + 4 * trained), 0, 1],
  })
})

test('operands of which an operation touches only a part', () => {
  const shapes = (of: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(of).map(([name, shape]) => [name, { shape }]))
  const touches = (op: keyof typeof rules, reads: Record<string, number[]>, writes: Record<string, number[]>) =>
    rules[op].touches!({ reads: shapes(reads), writes: shapes(writes), attributes: {} })
  expect(touches('slice', { x: [4, 100] }, { y: [4, 7] })).toEqual({ x: 28 })
  expect(touches('gatherImages', { dataset: [50_000, 32, 32, 3], indices: [4] }, {})).toEqual({ dataset: 4 * 3072 })
  expect(touches('shortcutA', { x: [2, 8, 8, 16] }, { y: [2, 4, 4, 32] })).toEqual({ x: 2 * 16 * 16 })
  expect(touches('shortcutABwd', { dy: [2, 4, 4, 32] }, { dx: [2, 8, 8, 16] })).toEqual({ dy: 2 * 16 * 16 })
  expect(touches('batchNormInferBwd', { dy: [2, 3], x: [2, 3] }, {})).toEqual({ dy: 12, x: 12, mask: 0 })
})

describe('ResNet-50 at batch 256', () => {
  const batch = 256
  const model = create('resnet50', {})
  const parameters = model.parameters().filter(({ trainable }) => trainable)
  const described = (erased: boolean, precision: Precision) => {
    eraseReLU(model, { location: 'last', proportion: erased ? 1 : 0 })
    const { desc } = planStep(model, { imageSize: 224, batchSize: batch, device: 'cuda', precision }, 'training')
    const ideal = idealTraffic(desc, parameters.reduce((sum, { size }) => sum + size, 0)) // prettier-ignore
    return { desc, ideal, account: accountOf(desc) }
  }
  // MB an image. The ideal is that of a script of its own that adds up the layers of the published network.
  test.each([
    { erased: false, limit: 355, fused: 351.3, unfused: 477.3 },
    { erased: true, limit: 342, fused: 338.2, unfused: 422.1 },
  ])('bytes, arithmetic, launches; last ReLUs erased: $erased', ({ erased, limit, fused, unfused }) => {
    const { ideal, account } = described(erased, 'bf16')
    expect(account.bytes / batch / 1e6).toBeLessThanOrEqual(limit)
    expect(ideal.fused / batch / 1e6).toBeCloseTo(fused, 1)
    expect(ideal.unfused / batch / 1e6).toBeCloseTo(unfused, 1)
    // 6 times the 4.089 G multiply-accumulates of the forward pass, less the gradient of the images.
    expect(account.flops / batch / 1e9).toBeCloseTo(24.3, 2)
    for (const precision of precisions) expect(described(erased, precision).account.launches, precision).toBeLessThanOrEqual(500)
  })

  test('a prediction is the slower of bytes and arithmetic, kernel by kernel', () => {
    const { desc, account } = described(false, 'f32')
    const [a100] = gpus
    const { memory, step } = predict(desc, 'f32', a100!)
    expect(memory).toBeCloseTo(account.bytes / 1.75e12, 10)
    expect(step).toBeGreaterThan(account.flops / (0.7 * 19.5e12))
    const endless = { f32: Infinity, tf32: Infinity, bf16: Infinity, f16: Infinity }
    expect(predict(desc, 'f32', { ...a100!, rate: endless }).step).toBeCloseTo(memory, 10)
  })
})

test.each(precisions)('ResNet-20 in %s has at most 200 launches', precision => {
  for (const erased of [false, true]) {
    const model = create('resnet20', {})
    if (erased) eraseReLU(model, { location: 'last' })
    const { desc } = planStep(model, { imageSize: 32, batchSize: 128, device: 'cuda', precision }, 'training')
    expect(accountOf(desc).launches).toBeLessThanOrEqual(200)
  }
})

test('a plan for a GPU is not tiled', () => {
  const tiled = (device: string) => trainingDesc(create('resnet20', {}), [128, 32, 32, 3], { device }).regions.length > 0
  expect({ cpu: tiled('cpu'), cuda: tiled('cuda'), second: tiled('cuda:1') }).toEqual({ cpu: true, cuda: false, second: false })
})

test('memory alive at once, from lifetimes by hand', () => {
  const peak = (body: (x: Tensor) => Tensor) => {
    const { graph, y } = traced({ x: [1, 100] }, ({ x }) => body(x))
    graph.outputs.set('y', y)
    const layout = new StoreLayout<Parameter>([])
    const plain = { device: 'cuda', checked: false, parameters: 'weights', regions: [], wholeStep: new Set<Tensor>() } as const
    return livePeak(serialise(graph, { ...plain, layout }))
  }
  // The input has memory of its own. A chain needs two tensors at a time.
  expect(peak(x => relu(x))).toBe(400)
  expect(peak(x => relu(relu(relu(relu(x)))))).toBe(2 * 400)
  // The first one waits for the last; a view has no memory of its own.
  const residual = (x: Tensor) => {
    const first = relu(x)
    return add(reshape(relu(relu(reshape(first, [100]))), [1, 100]), first)
  }
  expect(peak(residual)).toBe(3 * 400)
})

test('one launch concatenates 32 tensors', () => {
  const joined = (count: number) => {
    const { graph, y } = traced({ x: [2, 4] }, ({ x }) => concat(Array.from({ length: count }, () => relu(x))))
    graph.outputs.set('y', y)
    const layout = new StoreLayout<Parameter>([])
    const desc = serialise(graph, {
      device: 'cuda', checked: false, layout, parameters: 'weights', regions: [], wholeStep: new Set(),
    }) // prettier-ignore
    return launchesOf(desc, desc.nodes.at(-1)!)
  }
  expect([joined(2), joined(32), joined(33)]).toEqual([1, 1, 2])
})
