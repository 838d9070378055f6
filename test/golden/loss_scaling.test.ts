/**
 * Dynamic loss scaling under f16, with numbers known in closed form: y = 8w, loss = mean(y), so the gradient is 8 and, multiplied
 * with the loss scale, overflows f16 (65504) from a scale of 8192 on. All numbers are powers of two, so everything is exact.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as data from '../../src/data/index.js'
import { mean } from '../../src/graph/functions.js'
import type { Precision } from '../../src/graph/precision.js'
import type { Tensor } from '../../src/graph/tensor.js'
import * as nn from '../../src/nn/index.js'
import { sgd } from '../../src/optim/index.js'
import { devices } from '../../src/runtime/devices.js'
import { NotFinite } from '../../src/runtime/errors.js'
import { Plan } from '../../src/runtime/plan.js'
import { state as index, Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import type { StepEvent } from '../../src/train/events.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import { arenasFor } from '../../src/train/training_plan.js'
import { trainingDesc } from '../graph/training_desc.js'

const learningRate = 2 ** -6
const batch = 4
const optimizer = sgd({ lr: learningRate })

class Net extends nn.Module {
  conv = new nn.Conv2d(1, 1, 1, { bias: false })
  constructor(weight = 1) {
    super()
    this.conv.weight.data[0] = weight
  }
  forward(x: Tensor): Tensor {
    return this.conv(x)
  }
}
const loss = (y: Tensor) => mean(y)

/** One-pixel images that are 8 once they are normalised. */
const pixels = (size: number) =>
  data.fromArrays({
    images: new Uint8Array(size).fill(255),
    labels: new Int32Array(size),
    shape: [1, 1, 1],
    numClasses: 2,
    mean: [0],
    std: [1 / 8],
  })

const options = (device: string): TrainerOptions => ({
  data: pixels(10 * batch),
  batchSize: batch,
  epochs: 1,
  optimizer,
  loss,
  device,
  precision: 'f16',
})

async function stepsOf(trainer: Trainer, fit: Parameters<Trainer['fit']>[0] = {}, most = Infinity): Promise<StepEvent[]> {
  const steps: StepEvent[] = []
  for await (const event of trainer.fit(fit)) if (event.type === 'step' && steps.push(event) === most) break
  return steps
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'loss-scaling-'))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe.each(devices().filter(device => device === 'reference' || device === 'cuda'))('on %s', device => {
  /** Runs the trainer's plan from an update state of its own, and gives state and weight after each step. */
  async function run(
    begin: Partial<Record<keyof typeof index, number>>,
    images: readonly number[],
    precision: Precision = 'f16',
  ) {
    const model = new Net()
    const desc = trainingDesc(model, [batch, 1, 1, 1], { device, precision, optimizer, loss })
    using store = await Store.create(device, arenasFor(new StoreLayout(model.parameters()), optimizer, undefined))
    await store.write('weights', 0, Float32Array.of(1))
    const initial = new Float32Array(index.size)
    for (const [name, value] of Object.entries(begin)) initial[index[name as keyof typeof index]] = value
    await store.write('state', 0, initial)
    using plan = await Plan.create(desc, store)
    const steps = []
    for (const value of images) {
      const arrays = { images: new Float32Array(batch).fill(value), labels: new Int32Array(batch) }
      const { data: state } = (await plan.run([arrays], { learningRates: [learningRate] })).outputs.state!
      const [weight] = await store.read('weights')
      steps.push({ finite: state[index.finite], scale: state[index.lossScale], norm: state[index.norm], weight, state })
    }
    return steps
  }

  test('an overflow in the middle: skipped, counted, the scale halved, no byte of the weights changed; then it goes on', async () => {
    const steps = await run({ lossScale: 2048, growthInterval: 2 }, Array<number>(10).fill(8))
    expect(steps.map(({ finite }) => finite)).toEqual([1, 1, 1, 1, 0, 1, 1, 0, 1, 1])
    expect(steps.map(({ scale }) => scale)).toEqual([2048, 4096, 4096, 8192, 4096, 4096, 8192, 4096, 4096, 8192])
    // Each good step takes 2^-6 · 8 = 1/8 from the weight, whatever the scale was.
    expect(steps.map(({ weight }) => weight)).toEqual([7, 6, 5, 4, 4, 3, 2, 2, 1, 0].map(eighths => eighths / 8))
    expect(steps.map(({ norm }) => norm)).toEqual([8, 8, 8, 8, Infinity, 8, 8, Infinity, 8, 8])
    const { state } = steps.at(-1)!
    expect([state[index.updates], state[index.skipped], state[index.skippedInARow]]).toEqual([8, 2, 0])
  })

  test('the scale does not fall below 1 and does not grow above 2^24', async () => {
    const low = await run({ lossScale: 4, growthInterval: 2 }, [NaN, NaN, NaN, NaN])
    expect(low.map(({ scale }) => scale)).toEqual([2, 1, 1, 1])
    expect(low.map(({ state }) => state[index.skippedInARow])).toEqual([1, 2, 3, 4])
    // In f32, which holds such gradients.
    const high = await run({ lossScale: 2 ** 22, growthInterval: 1 }, [0, 0, 0, 0], 'f32')
    expect(high.map(({ scale }) => scale)).toEqual([2 ** 23, 2 ** 24, 2 ** 24, 2 ** 24])
  })

  test('without a growth interval the scale stays as it is', async () => {
    const steps = await run({ lossScale: 4096 }, [8, NaN, 8])
    expect(steps.map(({ scale }) => scale)).toEqual([4096, 4096, 4096])
  })

  test('a training starts at 65536, tells what it skips, and writes it down', async () => {
    await inFolder(async folder => {
      const model = new Net()
      await using trainer = new Trainer(model, options(device))
      const steps = await stepsOf(trainer, { outputDir: folder })
      expect(steps.map(({ skipped }) => skipped)).toEqual([true, true, true, true, ...Array<boolean>(6).fill(false)])
      expect(steps.map(({ lossScale }) => lossScale)).toEqual([32768, 16384, 8192, ...Array<number>(7).fill(4096)])
      expect(model.conv.weight.data[0]).toBe(1 - 6 / 8)
      const lines = (await readFile(join(folder, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n')
      expect(lines.map(line => JSON.parse(line) as object)[3]).toMatchObject({ step: 4, lossScale: 4096, skipped: true })
    })
  })

  test('a checkpoint keeps scale and counters: resumed, it is the same training', async () => {
    await inFolder(async folder => {
      const whole = new Net()
      await using uninterrupted = new Trainer(whole, options(device))
      const expected = await stepsOf(uninterrupted)
      await using first = new Trainer(new Net(), options(device))
      await stepsOf(first, { outputDir: folder }, 3)
      const model = new Net()
      await using second = new Trainer(model, options(device))
      const rest = await stepsOf(second, { outputDir: folder, resume: true })
      const told = (steps: StepEvent[]) => steps.map(({ step, skipped, lossScale }) => ({ step, skipped, lossScale }))
      expect(told(rest)).toEqual(told(expected.slice(3)))
      expect(model.conv.weight.data).toEqual(whole.conv.weight.data)
    })
  })

  test('resumed in f32 the gradient is not divided by a scale that it does not have', async () => {
    await inFolder(async folder => {
      await using first = new Trainer(new Net(), options(device))
      await stepsOf(first, { outputDir: folder }, 6)
      const model = new Net()
      await using second = new Trainer(model, { ...options(device), precision: 'f32' })
      const rest = await stepsOf(second, { outputDir: folder, resume: true })
      expect(rest.map(({ gradientNorm, lossScale }) => [gradientNorm, lossScale])).toEqual(Array(4).fill([8, undefined]))
      expect(model.conv.weight.data[0]).toBe(1 - 6 / 8)
    })
  })

  test('25 skipped steps in a row are an error with step, rate, scale and layer', async () => {
    // 8 · 60000 is beyond f16 whatever the scale.
    const model = new Net(60000)
    await using trainer = new Trainer(model, { ...options(device), epochs: 4 })
    let steps = 0
    const failure = await (async () => {
      for await (const event of trainer.fit()) if (event.type === 'step') steps++
    })().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NotFinite)
    expect((failure as Error).message).toMatch(
      /^step 25 \(learning rate 0\.015625, loss scale 1 after 25 skipped steps in a row\): .*layer 'conv' \(conv2d\)/,
    )
    expect(steps).toBe(24)
    expect(model.conv.weight.data[0]).toBe(60000)
  })
})
