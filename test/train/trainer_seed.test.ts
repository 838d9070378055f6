/** Determinism: what a seed decides, and what it does not. */
import { describe, expect, test } from 'vitest'
import { fromArrays } from '../../src/data/index.js'
import { eraseReLU } from '../../src/erase.js'
import { dropout, globalAvgPool, type Tensor } from '../../src/index.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { Conv2d, initialize, Linear, Module } from '../../src/nn/index.js'
import { sgd } from '../../src/optim/index.js'
import { digest, pictures, source, train, weightsOf } from './training.js'

const shape = [16, 16, 3] as const
const augmented = fromArrays({ ...pictures(96, shape), shape, numClasses: 4, augment: { pad: 2, flip: true, cutout: 4 } })
const resnet = (seed = 1) => initialize(new CifarResNet(8, { numClasses: 4 }), seed)

describe('with one seed, losses and weights are the same bytes', () => {
  test.each([
    ['as published', 0, []],
    ['erased', 1, []],
    ['untiled', 0, ['tile']],
  ] as const)('%s', async (_, proportion, disabledPasses) => {
    const run = async (seed: number) => {
      const model = resnet()
      eraseReLU(model, { proportion })
      const { losses, weights } = await train(model, { data: augmented, seed, batchSize: 16, epochs: 2, disabledPasses })
      expect(losses).toHaveLength(12)
      return [digest(losses), digest(weights)]
    }
    const first = await run(1)
    expect(await run(1)).toEqual(first)
    const other = await run(2)
    expect(other[0]).not.toBe(first[0])
    expect(other[1]).not.toBe(first[1])
  })
})

test('the seed orders the images and moves the crops, apart from each other', async () => {
  const losses = async (seed: number, data = augmented) =>
    digest((await train(resnet(), { data, seed, batchSize: 96, epochs: 1 })).losses)
  const still = source(96)
  // One batch of all images: without augmentation only their order differs, which batch statistics do not see (but for rounding).
  expect(await losses(1)).not.toBe(await losses(2))
  const [a, b] = [
    await train(resnet(), { data: still, seed: 1, batchSize: 96 }),
    await train(resnet(), { data: still, seed: 2, batchSize: 96 }),
  ]
  expect(Math.abs(a.losses[0]! - b.losses[0]!)).toBeLessThan(1e-5)
})

test('the seed decides what dropout drops', async () => {
  class Dropping extends Module {
    conv = new Conv2d(3, 8, 3)
    fc = new Linear(8, 4)
    forward(x: Tensor): Tensor {
      return this.fc(globalAvgPool(dropout(this.conv(x), 0.5)))
    }
  }
  const data = source(8)
  const loss = async (seed: number, steps: number) =>
    (await train(initialize(new Dropping()), { data, seed, epochs: steps, optimizer: sgd({ lr: 1e-30 }) })).losses
  expect(await loss(1, 3)).toEqual(await loss(1, 3))
  expect(new Set(await loss(1, 3)).size).toBe(3)
  expect((await loss(1, 1))[0]).not.toBe((await loss(2, 1))[0])
})

test('published and erased arm start from the same weights', () => {
  const [published, erased] = [resnet(7), resnet(7)]
  eraseReLU(erased)
  expect(weightsOf(erased)).toEqual(weightsOf(published))
})
