/** Sessions and trainers in use: AbortSignal, dispose, the arrays of a run, several at once. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/graph/session.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { initialize } from '../../src/nn/index.js'
import { sgd } from '../../src/optim/index.js'
import { Disposed } from '../../src/runtime/errors.js'
import { Trainer } from '../../src/train/trainer.js'
import { digest, Plain, source, train, weightsOf } from '../train/training.js'

const data = source(320, [32, 32, 3], { test: 40 })
const resnet = () => initialize(new CifarResNet(20, { numClasses: 4 }), 1)
const options = { data, batchSize: 40, epochs: 2, optimizer: sgd({ lr: 0.05, momentum: 0.9 }) }

describe('aborting a training', () => {
  test('ends within the step; the weights are those of the last full step; the trainer goes on', async () => {
    const model = resnet()
    await using trainer = new Trainer(model, options)
    const controller = new AbortController()
    const reason = new Error('enough')
    let abortedAt = 0
    let steps = 0
    let longest = 0
    let before = performance.now()
    const fit = async () => {
      for await (const event of trainer.fit({ signal: controller.signal })) {
        if (event.type !== 'step') continue
        if (++steps > 1) longest = Math.max(longest, performance.now() - before)
        before = performance.now()
        if (steps < 3) continue
        setTimeout(() => {
          abortedAt = performance.now()
          controller.abort(reason)
        }, 10)
      }
    }
    await expect(fit()).rejects.toBe(reason)
    expect(performance.now() - abortedAt).toBeLessThan(longest + 50)
    expect(steps).toBe(3)

    const other = resnet()
    const expected = await train(other, options, 3)
    expect(digest(weightsOf(model))).toBe(digest(expected.weights))
    expect((await trainer.evaluate()).count).toBe(40)
    for await (const event of trainer.fit()) if (event.type === 'step' && event.step === 5) break
    expect(digest(weightsOf(model))).not.toBe(digest(expected.weights))
  })

  test('before it starts: nothing is trained', async () => {
    const model = resnet()
    const before = digest(weightsOf(model))
    await using trainer = new Trainer(model, options)
    const events: unknown[] = []
    const fit = async () => {
      for await (const event of trainer.fit({ signal: AbortSignal.abort() })) events.push(event)
    }
    await expect(fit()).rejects.toMatchObject({ name: 'AbortError' })
    expect(events).toEqual([])
    expect(digest(weightsOf(model))).toBe(before)
  })

  test('during an evaluation', async () => {
    await using trainer = new Trainer(resnet(), options)
    await expect(trainer.evaluate({ signal: AbortSignal.abort('no') })).rejects.toBe('no')
    expect((await trainer.evaluate()).count).toBe(40)
  })

  test('leaving the loop writes the weights back to the model', async () => {
    const model = resnet()
    const before = digest(weightsOf(model))
    await train(model, options, 1)
    expect(digest(weightsOf(model))).not.toBe(before)
  })
})

describe('aborting a session', () => {
  test('while it runs, and before', async () => {
    using session = await compile(resnet(), { inputs: { x: { shape: [256, 32, 32, 3] } } })
    const x = new Float32Array(256 * 32 * 32 * 3).fill(0.5)
    const { output } = await session.run({ x })
    const signal = AbortSignal.timeout(3)
    await expect(session.run({ x }, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect(session.run({ x }, { signal: AbortSignal.abort('before') })).rejects.toBe('before')
    expect((await session.run({ x })).output).toEqual(output)
  })

  test('an aborted run that waits in the queue does not start, and others are not touched', async () => {
    using session = await compile(resnet(), { inputs: { x: { shape: [64, 32, 32, 3] } } })
    const x = new Float32Array(64 * 32 * 32 * 3).fill(0.5)
    const controller = new AbortController()
    const runs = [session.run({ x }), session.run({ x }, { signal: controller.signal }), session.run({ x })]
    controller.abort('queued')
    const [first, second, third] = await Promise.allSettled(runs)
    expect(first!.status).toBe('fulfilled')
    expect(second).toEqual({ status: 'rejected', reason: 'queued' })
    expect(third).toEqual(first)
  })
})

describe('dispose', () => {
  test('a session: twice is once; later use rejects with Disposed; a run under way ends', async () => {
    const session = await compile(resnet(), { inputs: { x: { shape: [8, 32, 32, 3] } } })
    const x = new Float32Array(8 * 32 * 32 * 3)
    const under_way = session.run({ x })
    session.dispose()
    session.dispose()
    expect((await under_way).output!.shape).toEqual([8, 4])
    await expect(session.run({ x })).rejects.toThrow(Disposed)
    expect(() => session.engines).toThrow(Disposed)
    expect(session.memory.planned).toBeGreaterThan(0)
  })

  test('`using` disposes a session', async () => {
    let kept
    {
      using session = await compile(new Plain(), { inputs: { x: { shape: [1, 16, 16, 3] } } })
      kept = session
    }
    await expect(kept.run({ x: new Float32Array(16 * 16 * 3) })).rejects.toThrow(Disposed)
  })

  test('a trainer: twice is once; later use rejects with Disposed', async () => {
    const trainer = new Trainer(new Plain(), { ...options, data: source(16), batchSize: 8 })
    expect((await trainer.memory()).planned).toBeGreaterThan(0)
    await trainer.dispose()
    await trainer.dispose()
    await expect(trainer.memory()).rejects.toThrow(Disposed)
    await expect(trainer.evaluate()).rejects.toThrow(Disposed)
    await expect(trainer.fit().next()).rejects.toThrow(Disposed)
  })

  test('a trainer in the middle of a training ends it with Disposed', async () => {
    const trainer = new Trainer(resnet(), options)
    const fit = async () => {
      for await (const event of trainer.fit()) if (event.type === 'step' && event.step === 2) await trainer.dispose()
    }
    await expect(fit()).rejects.toThrow(Disposed)
  })
})

test('a training that is left and continued is one without a break', async () => {
  const [broken, whole] = [resnet(), resnet()]
  await using trainer = new Trainer(broken, { ...options, accumulate: 2 })
  const losses: number[] = []
  for (const until of [3, 6, Infinity]) {
    for await (const event of trainer.fit()) {
      if (event.type !== 'step') continue
      losses.push(event.loss)
      expect(event.stepInEpoch).toBe(((event.step - 1) % 4) + 1)
      if (event.step === until) break
    }
  }
  const expected = await train(whole, { ...options, accumulate: 2 })
  expect(losses).toEqual([...expected.losses])
  expect(digest(weightsOf(broken))).toBe(digest(expected.weights))
  const events = []
  for await (const event of trainer.fit()) events.push(event)
  expect(events).toMatchObject([{ type: 'end', step: 8, imagesPerSecond: 0 }])
})

test('the arrays of a run may be changed as soon as run() returned', async () => {
  using session = await compile(new Plain(), { inputs: { x: { shape: [4, 16, 16, 3] } } })
  const x = new Float32Array(4 * 768).fill(1)
  const { output } = await session.run({ x })
  const run = session.run({ x })
  x.fill(NaN)
  expect((await run).output).toEqual(output)
  const shared = new Float32Array(new SharedArrayBuffer(x.byteLength + 64), 64)
  shared.fill(1)
  expect((await session.run({ x: shared })).output).toEqual(output)
})

test('several trainers and sessions at once give what each gives alone', async () => {
  const jobs = [
    async () => digest((await train(resnet(), options, 3)).losses),
    async () => digest((await train(new Plain(), { ...options, data: source(64), seed: 2 })).losses),
    async () => digest((await train(resnet(), { ...options, seed: 5 }, 3)).losses),
    async () => {
      using session = await compile(resnet(), { inputs: { x: { shape: [16, 32, 32, 3] } } })
      const x = Float32Array.from({ length: 16 * 32 * 32 * 3 }, (_, i) => Math.cos(i))
      const runs = await Promise.all([session.run({ x }), session.run({ x }), session.run({ x })])
      return runs.map(({ output }) => digest(output!.data)).join()
    },
  ]
  const alone = []
  for (const job of jobs) alone.push(await job())
  expect(await Promise.all(jobs.map(job => job()))).toEqual(alone)
})

test('two trainers that take turns, step by step, give what each gives alone', async () => {
  const jobs = [
    { model: resnet, options: { ...options, data: source(160, [32, 32, 3], { test: 40 }), epochs: 1 } },
    { model: () => new Plain(), options: { ...options, data: source(32, [16, 16, 3], { test: 8 }), batchSize: 8, epochs: 1 } },
  ]
  const alone = []
  for (const { model, options } of jobs) alone.push(digest((await train(model(), options)).weights))

  const models = jobs.map(({ model }) => model())
  const trainers = jobs.map(({ options }, i) => new Trainer(models[i]!, options))
  const fits = trainers.map(trainer => trainer.fit())
  let turns = 0
  for (let busy = true; busy; turns++) {
    const events = []
    for (const fit of fits) events.push(await fit.next())
    busy = events.some(({ done }) => !done)
  }
  expect(turns).toBe(4 + 3) // Four steps each, the epoch, the end, and nothing.
  expect(models.map(model => digest(weightsOf(model)))).toEqual(alone)
  for (const trainer of trainers) await trainer.dispose()
})

test('one trainer trains once at a time', async () => {
  await using trainer = new Trainer(new Plain(), { ...options, data: source(64), batchSize: 8 })
  const first = trainer.fit()
  await first.next()
  await expect(trainer.fit().next()).rejects.toThrow(/fit\(\) is already running/)
  await first.return()
  expect((await trainer.fit().next()).done).toBe(false)
})
