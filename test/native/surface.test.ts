/** The library as its users see it: only what src/index.ts exports. */
import { describe, expect, test } from 'vitest'
import * as er from '../../src/index.js'
import type { Batch } from '../../src/data/batch.js'
import { runProcess } from './processes/run_process.js'
import { pictures } from '../train/training.js'

class Block extends er.BasicModule {
  conv = new er.Conv2d(8, 8, 3, { padding: 1, bias: false })
  bn = new er.BatchNorm2d(8)
  relu1 = new er.ReLU()
  relu2 = new er.ReLU()
  chains() {
    return [[this.relu1, this.relu2]]
  }
  forward(x: er.Tensor) {
    return this.relu2(er.add(this.bn(this.conv(this.relu1(x))), x))
  }
}

/** Every layer once. */
class Tiny extends er.Module {
  stem = new er.Sequential(
    new er.Conv2d(3, 8, [3, 5], { stride: 2, padding: [1, 1, 2, 2] }),
    new er.BatchNorm2d(8),
    new er.ReLU(),
  )
  block = new Block()
  left = new er.MaxPool2d(3, { stride: 2, padding: 1 })
  right = new er.AvgPool2d(3, { stride: 2, padding: 1, countIncludePad: false })
  shortcut = new er.ShortcutA(20, 2)
  drop = new er.Dropout(0.1)
  pool = new er.GlobalAvgPool()
  flatten = new er.Flatten()
  identity = new er.Identity()
  fc = new er.Linear(20 + 20 * 4, 4)
  forward(x: er.Tensor) {
    const y = this.block(this.stem(x))
    const z = this.shortcut(er.concat([this.left(y), this.right(y)]))
    const scores = this.fc(this.identity(er.concat([this.pool(z), this.flatten(this.drop(z))])))
    return scores
  }
}

const shape = [16, 16, 3] as const
const options = { batchSize: 8, epochs: 1, optimizer: er.optim.sgd({ lr: 0.05, momentum: 0.9 }) }

async function losses(model: er.Module, given: er.TrainerOptions): Promise<number[]> {
  await using trainer = new er.Trainer(model, given)
  const seen: number[] = []
  for await (const event of trainer.fit()) if (event.type === 'step') seen.push(event.loss)
  return seen
}

describe('a network of the caller’s own', () => {
  const data = er.data.fromArrays({ ...pictures(32), shape, test: pictures(10) })

  test('trains, tells typed events, and runs as a session with what it learned', async () => {
    const model = er.initialize(new Tiny(), 3)
    await using trainer = new er.Trainer(model, { ...options, data, epochs: 3 })
    expect((await trainer.memory()).arena).toBeGreaterThan(0)
    const types: string[] = []
    for await (const event of trainer.fit()) types.push(event.type)
    const epoch = ['step', 'step', 'step', 'step', 'epoch']
    expect(types).toEqual([...epoch, ...epoch, ...epoch, 'end'])
    const { accuracy } = await trainer.evaluate()

    using session = await er.compile(model, { inputs: { x: { shape: [10, ...shape] } }, peek: ['block.bn', 'stem.2'] })
    const { images, labels } = data.test
    const x = Float32Array.from(images, (value, i) => (value / 255 - data.mean[i % 3]!) / data.std[i % 3]!)
    const { output, 'block.bn': norm, 'stem.2': stem } = await session.run({ x })
    expect(norm!.shape).toEqual([10, 8, 8, 8])
    expect(stem!.data.every(value => value >= 0)).toBe(true)
    const best = Array.from(labels, (_, n) => output!.data.subarray(4 * n, 4 * n + 4)).map(scores =>
      scores.indexOf(Math.max(...scores) as never),
    )
    expect(best.filter((label, n) => label === labels[n]).length / 10).toBeCloseTo(accuracy!, 6)
    expect(session.memory.largest[0]!.bytes).toBeGreaterThan(0)
    expect(session.engines.map(({ op }) => op)).toContain('conv2d')
  })

  test('peeking changes no other output', async () => {
    const model = er.initialize(new Tiny(), 3)
    const x = Float32Array.from({ length: 2 * 768 }, (_, i) => Math.sin(i))
    const inputs = { x: { shape: [2, ...shape] } }
    using plain = await er.compile(model, { inputs })
    using peeking = await er.compile(model, { inputs, peek: ['block.bn', 'block.relu2', 'stem.0', 'fc'] })
    using checked = await er.compile(model, { inputs, checked: true })
    const [a, b, c] = [await plain.run({ x }), await peeking.run({ x }), await checked.run({ x })]
    expect(Object.keys(b)).toEqual(['output', 'block.bn', 'block.relu2', 'stem.0', 'fc'])
    expect(b.fc).toEqual(b.output)
    a.output!.data.forEach((value, i) => {
      expect(b.output!.data[i]).toBeCloseTo(value, 5)
      expect(c.output!.data[i]).toBeCloseTo(value, 5)
    })
  })

  test('erasing its block end gives it another output, restoring the same', async () => {
    const model = er.initialize(new Tiny(), 3)
    const x = Float32Array.from({ length: 768 }, (_, i) => Math.sin(i))
    const output = async () => {
      using session = await er.compile(model, { inputs: { x: { shape: [1, ...shape] } } })
      return (await session.run({ x })).output!.data
    }
    const before = await output()
    expect(er.eraseReLU(model).counts).toEqual({ total: 3, erased: 1, kept: 2 })
    expect(await output()).not.toEqual(before)
    er.eraseReLU(model, { proportion: 0 })
    expect(await output()).toEqual(before)
  })
})

test('forward may take several inputs, of several types, and leave some unused', async () => {
  class Two extends er.Module {
    weight = er.parameter([1, 1, 1, 3], 'weight', er.init.ones)
    forward(image: er.Tensor, scale: er.Tensor) {
      return er.mean(er.scaleSamples(er.mul(image, this.weight), scale), [1, 2])
    }
  }
  const inputs = { image: { shape: [2, 4, 4, 3] }, scale: { shape: [2] }, unused: { shape: [7], dtype: 'i32' } } as const
  using session = await er.compile(new Two(), { inputs })
  const image = new Float32Array(96).fill(2)
  const { output } = await session.run({ unused: new Int32Array(7), scale: Float32Array.of(1, 10), image })
  expect(output).toEqual({ shape: [2, 1, 1, 3], data: Float32Array.of(2, 2, 2, 20, 20, 20) })
})

describe('batches of the caller’s own', () => {
  const { images, labels } = pictures(32)
  const normalised = Float32Array.from(images, value => (value / 255 - 0.25) / 0.5)
  const u8 = (n: number) => ({ images: images.subarray(n * 768, (n + 8) * 768), labels: labels.subarray(n, n + 8) })
  const batchesOf = (make: (n: number) => Batch) =>
    async function* () {
      for (let n = 0; n < 32; n += 8) yield await Promise.resolve(make(n))
    }
  const stream = { shape, numClasses: 4, batchesPerEpoch: 4 } as const
  const fresh = () => er.initialize(new Tiny(), 3)

  test('bytes are normalised as floats are given; a Buffer is bytes', async () => {
    const bytes = er.data.fromBatches({ ...stream, train: batchesOf(u8), mean: [0.25, 0.25, 0.25], std: [0.5, 0.5, 0.5] })
    const floats = er.data.fromBatches({
      ...stream,
      imageType: 'f32',
      train: batchesOf(n => ({ ...u8(n), images: normalised.subarray(n * 768, (n + 8) * 768) })),
    })
    const buffers = er.data.fromBatches({
      ...stream,
      train: batchesOf(n => ({ ...u8(n), images: Buffer.from(u8(n).images) })),
      mean: [0.25, 0.25, 0.25],
      std: [0.5, 0.5, 0.5],
    })
    const expected = await losses(fresh(), { ...options, data: bytes })
    const actual = await losses(fresh(), { ...options, data: floats })
    expect(expected).toHaveLength(4)
    actual.forEach((loss, i) => expect(loss).toBeCloseTo(expected[i]!, 5))
    expect(await losses(fresh(), { ...options, data: buffers })).toEqual(expected)
  })

  test('mixed labels: lambda 1 is the first set, 0 the second', async () => {
    const labels2 = labels.map(label => (label + 1) % 4)
    const run = (lambda: number, first = labels, second = labels2) =>
      losses(fresh(), {
        ...options,
        data: er.data.fromBatches({
          ...stream,
          mixed: true,
          train: batchesOf(n => ({
            images: u8(n).images,
            labels: first.subarray(n, n + 8),
            labels2: second.subarray(n, n + 8),
            lambda: new Float32Array(8).fill(lambda),
          })),
        }),
      })
    const plain = await losses(fresh(), { ...options, data: er.data.fromBatches({ ...stream, train: batchesOf(u8) }) })
    const close = (a: number[], b: number[]) => a.forEach((loss, i) => expect(loss).toBeCloseTo(b[i]!, 5))
    close(await run(1), plain)
    close(await run(0, labels2, labels), plain)
    expect((await run(0.5))[1]).not.toBeCloseTo(plain[1]!, 3)
  })

  test('images with label −1 do not count', async () => {
    const data = er.data.fromBatches({
      ...stream,
      train: batchesOf(n => ({ images: u8(n).images, labels: u8(n).labels.map((label, i) => (i < 4 ? label : -1)) })),
      test: batchesOf(n => ({ images: u8(n).images, labels: u8(n).labels.map((label, i) => (i < 5 ? label : -1)) })),
    })
    await using trainer = new er.Trainer(fresh(), { ...options, data })
    for await (const event of trainer.fit()) if (event.type === 'step') expect(event.loss).toBeGreaterThan(0)
    expect((await trainer.evaluate()).count).toBe(20)
  })
})

test('a loss of the caller’s own, of any rank, on any output', async () => {
  class Regression extends er.Module {
    conv = new er.Conv2d(3, 1, 3, { padding: 1 })
    forward(x: er.Tensor) {
      return this.conv(x)
    }
  }
  const data = er.data.fromArrays({ ...pictures(32), shape, test: pictures(8) })
  const model = er.initialize(new Regression())
  const loss: er.Loss = (y, { images }) => er.mean(er.square(er.sub(y, er.slice(images, [0, 0, 0, 1], y.shape))))
  await using trainer = new er.Trainer(model, { ...options, data, loss, epochs: 8 })
  const seen: number[] = []
  for await (const event of trainer.fit()) {
    if (event.type !== 'step') continue
    expect(event.accuracy).toBeUndefined()
    seen.push(event.loss)
  }
  expect(seen.at(-1)).toBeLessThan(seen[0]! / 2)
  expect(await trainer.evaluate()).toMatchObject({ accuracy: undefined, accuracy5: undefined })
})

test('run() updates its operands in place, also when no planned memory is needed', async () => {
  // In a process of its own, where no plan has made the arena before.
  const { code, stdout, stderr } = await runProcess('run_in_place.ts')
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toEqual([0.5, 1])
})

test('run() computes a single operation', async () => {
  const x = { shape: [1, 2, 2, 1], data: Float32Array.of(-1, 2, -3, 4) }
  expect((await er.run('relu', { x })).y).toEqual({ shape: [1, 2, 2, 1], data: Float32Array.of(0, 2, 0, 4) })
  const both = { a: x, b: { shape: [1, 1, 1, 1], data: Float32Array.of(10) } }
  const { y } = await er.run('pointwise', both, { fn: 'add', alpha: 0, beta: 0 }, { device: 'reference' })
  expect([...y!.data]).toEqual([9, 12, 7, 14])
})

test('devices', () => {
  expect(er.devices()).toEqual(expect.arrayContaining(['cpu', 'reference']))
  expect(er.deviceInfo()).toMatchObject({ name: 'cpu', library: expect.stringMatching(/^oneDNN 3/) as string })
})
