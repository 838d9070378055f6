/** What each option of the trainer does to the training. */
import { describe, expect, test } from 'vitest'
import { crossEntropy, mean, square, sub, type Tensor } from '../../src/index.js'
import { BatchNorm2d, GlobalAvgPool, initialize, Linear, Module, parameter, init } from '../../src/nn/index.js'
import { adamw, constant, ema, multiStep, sgd, type Optimizer } from '../../src/optim/index.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import { difference, Plain, source, train, weightsOf } from './training.js'

const data = source(32, [16, 16, 3], { test: 20 })

describe('microbatches', () => {
  test.each([
    ['sgd', sgd({ lr: 0.1, momentum: 0.9, weightDecay: 1e-3 })],
    ['adamw', adamw({ lr: 0.01 })],
  ] as const)('2 of 8 images are one of 16, %s', async (_, optimizer) => {
    const split = await train(new Plain(), { data, batchSize: 8, accumulate: 2, epochs: 2, optimizer })
    const whole = await train(new Plain(), { data, batchSize: 16, epochs: 2, optimizer })
    expect(split.steps).toHaveLength(4)
    expect(difference(split.losses, whole.losses)).toBeLessThan(1e-5)
    expect(difference(split.weights, whole.weights)).toBeLessThan(1e-4)
    expect(split.steps.map(({ accuracy }) => accuracy)).toEqual(whole.steps.map(({ accuracy }) => accuracy))
    expect(difference(normsOf(split.steps), normsOf(whole.steps))).toBeLessThan(1e-4)
  })

  test('with batch norm they differ: statistics are those of a microbatch', async () => {
    class Norm extends Plain {
      bn = new BatchNorm2d(3)
      override forward(x: Tensor): Tensor {
        return super.forward(this.bn(x))
      }
    }
    const split = await train(initialize(new Norm(), 1), { data, batchSize: 8, accumulate: 2 })
    const whole = await train(initialize(new Norm(), 1), { data, batchSize: 16 })
    expect(difference(split.losses, whole.losses)).toBeGreaterThan(1e-5)
  })

  test('accumulate more than an epoch has is refused', () => {
    const options = { data, batchSize: 8, accumulate: 5, epochs: 1, optimizer: sgd({ lr: 0.1 }) }
    expect(() => new Trainer(new Plain(), options)).toThrow(/accumulate 5 is more than the 4 batches of an epoch/)
  })
})

const normsOf = (steps: readonly { gradientNorm: number }[]) => Float32Array.from(steps, ({ gradientNorm }) => gradientNorm)

test('labelSmoothing: the mean of q log p with q = 1-s+s/K and s/K', async () => {
  // One step on the logits of a linear model that starts at zero: p is 1/K everywhere, so the loss is log K whatever s is.
  const start = (s: number) => train(zeroed(), { data, batchSize: 32, labelSmoothing: s, optimizer: sgd({ lr: 1 }) })
  const [hard, soft] = [await start(0), await start(0.4)]
  expect(hard.losses[0]).toBeCloseTo(Math.log(4), 5)
  expect(soft.losses[0]).toBeCloseTo(Math.log(4), 5)
  // The gradient p - q shrinks by 1 - s there.
  expect(soft.steps[0]!.gradientNorm / hard.steps[0]!.gradientNorm).toBeCloseTo(0.6, 4)
})

/** Mean colours to class scores, all weights zero. */
class Linearly extends Module {
  pool = new GlobalAvgPool()
  fc = new Linear(3, 4, { init: init.zeros })
  forward(x: Tensor): Tensor {
    return this.fc(this.pool(x))
  }
}
const zeroed = () => new Linearly()

test('clipGradNorm scales the gradient down to the norm; gradientNorm is that before', async () => {
  const step = (clipGradNorm?: number) =>
    train(zeroed(), { data, batchSize: 32, optimizer: sgd({ lr: 1 }), ...(clipGradNorm !== undefined && { clipGradNorm }) })
  const free = await step()
  const norm = free.steps[0]!.gradientNorm
  expect(Math.hypot(...free.weights)).toBeCloseTo(norm, 5)
  const clipped = await step(norm / 4)
  expect(clipped.steps[0]!.gradientNorm).toBeCloseTo(norm, 6)
  expect(Math.hypot(...clipped.weights)).toBeCloseTo(norm / 4, 5)
  expect(difference(await step(norm * 2).then(r => r.weights), free.weights)).toBe(0)
})

describe('ema', () => {
  test('evaluation uses the moving average; training does not', async () => {
    const options = { data, batchSize: 8, epochs: 2, optimizer: sgd({ lr: 0.5 }) }
    const plain = await train(new Plain(), options)
    const averaged = await train(new Plain(), { ...options, ema: ema(0.9) })
    expect(averaged.weights).toEqual(plain.weights)
    expect(averaged.losses).toEqual(plain.losses)
    expect(averaged.epochs.map(e => e.test!.loss)).not.toEqual(plain.epochs.map(e => e.test!.loss))
  })

  test('decay 0 is the weights themselves, and a decay near 1 the initial ones', async () => {
    const options = { data, batchSize: 8, epochs: 1, optimizer: sgd({ lr: 0.5 }) }
    const loss = async (decay?: number) =>
      (await train(new Plain(), { ...options, ...(decay !== undefined && { ema: ema(decay) }) })).epochs[0]!.test!.loss
    expect(await loss(0)).toBe(await loss())
    await using untrained = new Trainer(new Plain(), options)
    expect(await loss(1 - 2 ** -24)).toBeCloseTo((await untrained.evaluate()).loss, 5)
  })
})

/** One parameter each of role weight, bias and norm, all with a gradient of 0 for a loss that does not use them. */
class Unused extends Linearly {
  idle = parameter([3], 'weight', init.ones)
  idleBias = parameter([3], 'bias', init.ones)
  idleNorm = parameter([3], 'norm', init.ones)
}

describe('weight decay and groups', () => {
  const after = async (optimizer: Optimizer, options: Partial<TrainerOptions> = {}) => {
    const model = new Unused()
    await train(model, { data, batchSize: 32, epochs: 1, optimizer, ...options })
    return [model.idle, model.idleBias, model.idleNorm].map(({ data: [value] }) => value!)
  }
  const close = (actual: number[], expected: number[]) => actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))

  test('sgd: w - lr (decay w), per role', async () => {
    close(await after(sgd({ lr: 0.1, weightDecay: 0.5 })), [0.95, 0.95, 0.95])
    close(await after(sgd({ lr: 0.1, weightDecay: 0.5, normWeightDecay: 0, biasWeightDecay: 0.1 })), [0.95, 0.99, 1])
  })

  test('adamw: decoupled, w - lr decay w', async () => {
    close(await after(adamw({ lr: 0.1, weightDecay: 0.5, biasWeightDecay: 0 })), [0.95, 1, 0.95])
  })

  test('groups have their own learning rate and decay; the first that matches counts', async () => {
    const groups = [
      { match: /^idle$/, lr: 0.2 },
      { match: (name: string) => name.startsWith('idle'), weightDecay: 0.1 },
    ]
    close(await after(sgd({ lr: 0.1, weightDecay: 0.5, groups })), [0.9, 0.99, 0.99])
  })

  test('the schedule multiplies the rate of every group', async () => {
    const groups = [{ match: /^idle$/, lr: 0.2 }]
    close(await after(sgd({ lr: 0.1, weightDecay: 0.5, groups }), { schedule: () => 0.5 }), [0.95, 0.975, 0.975])
  })
})

test('adamw follows its formula', async () => {
  const weights = async (optimizer: Optimizer) => (await train(zeroed(), { data, batchSize: 32, epochs: 1, optimizer })).weights
  const gradient = (await weights(sgd({ lr: 1 }))).map(step => -step)
  // The first step is lr · g / (|g| + eps).
  const expected = gradient.map(g => (-0.01 * g) / (Math.abs(g) + 1e-3))
  expect(difference(await weights(adamw({ lr: 0.01, eps: 1e-3, weightDecay: 0 })), expected)).toBeLessThan(1e-4)
})

test('sgd with momentum, Nesterov and dampening follows its formula', async () => {
  // A constant gradient: a loss linear in the only weight.
  class One extends Module {
    weight = parameter([1, 1, 1, 1], 'weight', init.zeros)
    forward(x: Tensor): Tensor {
      return sub(mean(square(x)), this.weight)
    }
  }
  const run = async (optimizer: Optimizer) => {
    const model = new One()
    await train(model, { data, batchSize: 8, epochs: 1, optimizer, loss: y => mean(y) })
    return model.weight.data[0]!
  }
  const expected = (momentum: number, dampening: number, nesterov: boolean) => {
    let [w, v] = [0, 0]
    for (let step = 0; step < 4; step++) {
      const g = -1
      v = step === 0 ? g : momentum * v + (1 - dampening) * g
      w -= 0.1 * (nesterov ? g + momentum * v : v)
    }
    return w
  }
  expect(await run(sgd({ lr: 0.1 }))).toBeCloseTo(expected(0, 0, false), 5)
  expect(await run(sgd({ lr: 0.1, momentum: 0.9 }))).toBeCloseTo(expected(0.9, 0, false), 5)
  expect(await run(sgd({ lr: 0.1, momentum: 0.9, dampening: 0.5 }))).toBeCloseTo(expected(0.9, 0.5, false), 5)
  expect(await run(sgd({ lr: 0.1, momentum: 0.9, nesterov: true }))).toBeCloseTo(expected(0.9, 0, true), 5)
})

test('the schedule is asked with the position before each step, and its factor is the learning rate', async () => {
  const seen: number[] = []
  const { steps } = await train(new Plain(), {
    data,
    epochs: 3,
    optimizer: sgd({ lr: 2e-3 }),
    schedule: at => {
      seen.push(at.step, at.epoch, at.totalSteps, at.totalEpochs, at.stepsPerEpoch)
      return multiStep([1, 2], 0.5)(at) * constant()(at)
    },
  })
  expect(seen.slice(0, 10)).toEqual([0, 0, 12, 3, 4, 1, 0.25, 12, 3, 4])
  expect(steps.map(({ learningRate }) => learningRate)).toEqual([2e-3, 1e-3, 5e-4].flatMap(rate => Array<number>(4).fill(rate)))
})

test('a loss of the caller’s own replaces cross-entropy', async () => {
  const loss = (y: Tensor, { labels }: { labels: Tensor }) =>
    mean(square(sub(y, mean(y)))) && crossEntropy(y, labels, { labelSmoothing: 0.4 })
  const own = await train(new Plain(), { data, loss })
  const built = await train(new Plain(), { data, labelSmoothing: 0.4 })
  expect(difference(own.losses, built.losses)).toBeLessThan(1e-6)
  expect(own.steps[0]!.accuracy).toBeDefined()
})

test('frozen batch norm leaves its statistics, and untrainable parameters stay', async () => {
  class Frozen extends Plain {
    bn = new BatchNorm2d(3, { frozen: true })
    override forward(x: Tensor): Tensor {
      return super.forward(this.bn(x))
    }
  }
  const model = initialize(new Frozen(), 1)
  model.bn.weight.trainable = false
  const before = weightsOf(model.bn)
  await train(model, { data })
  expect([...model.bn.running_mean.data, ...model.bn.running_var.data]).toEqual([0, 0, 0, 1, 1, 1])
  expect([...model.bn.weight.data]).toEqual([1, 1, 1])
  expect(weightsOf(model.bn)).not.toEqual(before)
})

test('a trained network learns, and evaluation counts every test image once', async () => {
  const { epochs } = await train(new Plain(), {
    data: source(256, [16, 16, 3], { test: 50 }),
    epochs: 6,
    evalBatchSize: 16,
    optimizer: sgd({ lr: 0.05, momentum: 0.9 }),
  })
  const { test: measured, train: fitted } = epochs.at(-1)!
  expect(measured!.count).toBe(50)
  expect(fitted.loss).toBeLessThan(epochs[0]!.train.loss)
  expect(measured!.accuracy5).toBe(1)
})
