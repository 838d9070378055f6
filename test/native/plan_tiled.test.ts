/** Tiled regions: chunk by chunk over the batch gives the numbers of all at once. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/graph/session.js'
import { dropout, type Tensor } from '../../src/index.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import {
  BatchNorm2d,
  Conv2d,
  GlobalAvgPool,
  initialize,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '../../src/nn/index.js'
import { evaluationDesc, trainingDesc } from '../graph/training_desc.js'
import { difference, digest, source, train } from '../train/training.js'

/** Pooling, groups, dilation, bias and dropout inside regions. */
class Mixed extends Module {
  features = new Sequential(
    new Conv2d(3, 32, 3, { padding: 1 }),
    new BatchNorm2d(32),
    new ReLU(),
    new Conv2d(32, 32, 3, { padding: 2, dilation: 2, groups: 4 }),
    new ReLU(),
    new MaxPool2d(3, { stride: 2, padding: 1 }),
    new BatchNorm2d(32),
    new Conv2d(32, 32, 3, { stride: 2 }),
  )
  pool = new GlobalAvgPool()
  fc = new Linear(32, 4)
  constructor() {
    super()
    initialize(this, 2)
  }
  forward(x: Tensor): Tensor {
    return this.fc(this.pool(dropout(this.features(x), 0.2)))
  }
}

const makers: [string, () => Module][] = [
  ['resnet20', () => initialize(new CifarResNet(20, { numClasses: 4 }), 1)],
  ['a mixed network', () => new Mixed()],
]

describe.each(makers)('%s', (_, make) => {
  test('its plans have regions', () => {
    const shape = [150, 32, 32, 3]
    expect(trainingDesc(make(), shape, { numClasses: 4 }).regions.length).toBeGreaterThan(3)
    expect(evaluationDesc(make(), shape, { numClasses: 4 }).regions.length).toBeGreaterThan(1)
  })

  test('inference gives the same bits', async () => {
    const model = make()
    const shape = [150, 32, 32, 3]
    const x = Float32Array.from({ length: 150 * 32 * 32 * 3 }, (_, i) => Math.sin(i))
    using tiled = await compile(model, { inputs: { x: { shape } } })
    using plain = await compile(model, { inputs: { x: { shape } }, disabledPasses: ['tile'] })
    const [a, b] = [await tiled.run({ x }), await plain.run({ x })]
    expect(digest(a.output!.data)).toBe(digest(b.output!.data))
  })

  // The sums over the batch (filter gradients) are added up in another order: rounding differs, no more.
  test('training gives the same losses and weights', async () => {
    const data = source(4 * 150, [32, 32, 3])
    const both = async (steps: number) => [
      await train(make(), { data, batchSize: 150 }, steps),
      await train(make(), { data, batchSize: 150, disabledPasses: ['tile'] }, steps),
    ]
    const [first, firstPlain] = await both(1)
    expect(difference(first!.weights, firstPlain!.weights)).toBeLessThan(1e-5)
    const [tiled, plain] = await both(4)
    expect(tiled!.losses).toHaveLength(4)
    // Each step multiplies the rounding of the one before.
    expect(difference(tiled!.losses, plain!.losses)).toBeLessThan(1e-4)
  })
})
