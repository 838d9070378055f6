/** Trains and runs on the simulated GPU with a hand on it (sim.node, named by SIM_NODE), and prints what came of it as JSON. */
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { imageFolder } from '../../../src/data/index.js'
import { compile } from '../../../src/graph/session.js'
import { BatchNorm2d, Conv2d, Flatten, GlobalAvgPool, Linear, ReLU, Sequential, initialize } from '../../../src/nn/index.js'
import { sgd } from '../../../src/optim/index.js'
import { Plan } from '../../../src/runtime/plan.js'
import { Store } from '../../../src/runtime/store.js'
import { evaluate } from '../../../src/train/evaluate.js'
import { Trainer } from '../../../src/train/trainer.js'
import { source, train } from '../../train/training.js'

/** test/native/simulated_gpu/control/control.cc */
interface Sim {
  fail(pattern: string, n: number, error: number): void
  failCudnn(pattern: string, n: number, status: number): void
  calls(): string
  work(): string
  leaks(): string
}
const sim = createRequire(import.meta.url)(process.env.SIM_NODE!) as Sim
const lines = (text: string) => text.split('\n').filter(line => line !== '')

const device = 'cuda'
const unknownError = 999 // cudaErrorUnknown: the device goes on
const internalError = 4000 // CUDNN_STATUS_INTERNAL_ERROR

function network() {
  const model = new Sequential(
    new Conv2d(3, 8, 3, { padding: 1 }),
    new BatchNorm2d(8),
    new ReLU(),
    new GlobalAvgPool(),
    new Linear(8, 4),
  )
  initialize(model, 1)
  return model
}
const options = { data: source(32, [6, 6, 3]), batchSize: 4, optimizer: sgd({ lr: 0.05, momentum: 0.9 }) }

/** What is alive once everything that was disposed is freed: the runner does one thing after the other, and results hold what made them for a moment. */
async function alive(): Promise<string> {
  for (let round = 0; round < 5; round++) {
    await setImmediate()
    await kept.read('weights')
  }
  return sim.leaks()
}
const kept = await Store.create(device, { weights: 1 })

const describe = (error: unknown) => {
  const { code, message } = error as Error & { code: string }
  return { code, message }
}

/** Three steps to the end: what is staged is used. */
const whole = { ...options, data: source(12, [6, 6, 3]) }

/** What fails when one call fails, for each call of such a training. */
async function failures(fail: (n: number) => void, isFailed: (call: string) => boolean) {
  await train(network(), { ...whole, device })
  let before = await alive()
  const answers: { call: string; error: unknown; leaks: string }[] = []
  for (let n = 1; ; n++) {
    sim.calls()
    fail(n)
    const error = await train(network(), { ...whole, device }).then(() => undefined, describe)
    const call = lines(sim.calls()).filter(isFailed)[n - 1]
    const leaks = await alive()
    if (call === undefined) break
    answers.push({ call, error, leaks: leaks === before ? '' : leaks })
    before = leaks // what a failure to free has left stays
  }
  fail(0)
  const { losses } = await train(network(), { ...whole, device })
  const cpu = await train(network(), { ...whole, device: 'cpu' })
  return { answers, difference: Math.max(...losses.map((loss, i) => Math.abs(loss - cpu.losses[i]!))) }
}

const scenarios: Record<string, () => Promise<unknown>> = {
  /** The calls of each step. */
  steps: async () => {
    const accumulate = Number(process.env.ACCUMULATE ?? 1)
    await using trainer = new Trainer(network(), { ...options, device, accumulate, epochs: 1 })
    const steps: string[][] = []
    sim.calls()
    for await (const { type } of trainer.fit()) if (type === 'step') steps.push(lines(sim.calls()))
    return steps
  },
  /** Runs that are all asked for while the device's thread is busy: each is launched, and the next one's inputs go to the device, before any has ended. */
  ahead: async () => {
    const model = new Sequential(new Conv2d(3, 8, 3), new ReLU(), new Flatten())
    initialize(model, 1)
    const type = { inputs: { x: { shape: [2, 6, 6, 3] } } }
    const inputs = Array.from({ length: 6 }, (_, n) => Float32Array.from({ length: 216 }, (_, i) => ((i * 7 + n * 5) % 11) - 5))
    using cpu = await compile(model, type)
    using cuda = await compile(model, { ...type, device })
    const plan = cuda['plan']
    for (const x of inputs.slice(0, 2)) await plan.run([{ x }]) // kernel by kernel, and as a recording
    using store = await Store.create(device, { weights: 1 << 22 })
    sim.work()
    sim.calls()
    const busy = store.read('weights')
    const runs = inputs.map(x => plan.run([plan.stage({ x })]))
    await busy
    const outputs = await Promise.all(runs)
    const calls = lines(sim.calls())
    const work = lines(sim.work())
    const differences = await Promise.all(
      inputs.map(async (x, n) => {
        const expected = (await cpu.run({ x })).output!.data
        return Math.max(...outputs[n]!.outputs.output!.data.map((value, i) => Math.abs(value - expected[i]!)))
      }),
    )
    return { differences, calls, work }
  },
  /** A staged array is read when its turn comes to go to pinned memory: what is in it then arrives, since nobody has copied it before. */
  borrowed: async () => {
    const model = new Sequential(new Conv2d(3, 8, 3), new ReLU(), new Flatten())
    initialize(model, 1)
    using cuda = await compile(model, { inputs: { x: { shape: [2, 6, 6, 3] } }, device })
    using cpu = await compile(model, { inputs: { x: { shape: [2, 6, 6, 3] } } })
    using store = await Store.create(device, { weights: 1 << 22 })
    const x = Float32Array.from({ length: 216 }, (_, i) => ((i * 7) % 11) - 5)
    const later = x.map(value => -value)
    const plan = cuda['plan']
    await plan.run([{ x }])
    sim.work()
    const busy = store.read('weights')
    const staged = plan.stage({ x })
    x.set(later)
    const { outputs } = await plan.run([staged])
    await busy
    const expected = (await cpu.run({ x: later })).output!.data
    const got = outputs.output!.data
    return { difference: Math.max(...expected.map((value, i) => Math.abs(value - got[i]!))), work: lines(sim.work()) }
  },
  /** The same training from the image files in FOLDER on both devices, with all that changes them. */
  images: async () => {
    const sizes = { trainCropSize: 8, valCropSize: 8, valResizeSize: 8, workers: 2 }
    const changes = { colorJitter: [0.4, 0.4, 0.4], lighting: 0.1, randomErasing: 0.5 } as const
    const data = await imageFolder(process.env.FOLDER!, { ...sizes, ...changes })
    const how = { batchSize: 8, epochs: 2, optimizer: sgd({ lr: 0.05, momentum: 0.9 }), mixup: 0.2, cutmix: 1 }
    const runs = []
    for (const on of [device, 'cpu']) {
      const model = new Sequential(new Conv2d(3, 8, 3), new BatchNorm2d(8), new ReLU(), new GlobalAvgPool(), new Linear(8, 3))
      initialize(model, 1)
      const { losses, epochs } = await train(model, { ...how, data, device: on })
      runs.push({ losses: [...losses], ...epochs.at(-1)!.test! })
    }
    return runs
  },
  /** An evaluation of 6 batches, the last one not full; the device's thread is busy for a moment at every run, so that what is handed over at once is seen together. */
  evaluation: async () => {
    const model = network()
    const data = source(4, [6, 6, 3], { test: 22 })
    using store = await Store.create(device, { weights: 1 << 22 })
    const run = Plan.prototype.run
    Plan.prototype.run = function (...args) {
      void store.read('weights')
      return run.apply(this, args)
    }
    sim.work()
    const cuda = await evaluate(model, data, { batchSize: 4, device })
    const work = lines(sim.work())
    return { cuda, cpu: await evaluate(model, data, { batchSize: 4 }), work }
  },
  failures: () =>
    failures(
      n => sim.fail('cuda*', n, unknownError),
      call => call.startsWith('cuda'),
    ),
  /** The calls of cuDNN are not recorded one by one: it is tried until nothing fails any more. */
  cudnnFailures: async () => {
    await train(network(), { ...options, device }, 3)
    const before = await alive()
    const errors: unknown[] = []
    for (let n = 1, unharmed = 0; unharmed < 3; n++) {
      sim.failCudnn('cudnnBackendExecute', n, internalError)
      const error = await train(network(), { ...options, device }, 3).then(() => undefined, describe)
      if (error) errors.push(error)
      else unharmed++
    }
    sim.failCudnn('', 0, 0)
    return { errors, before, after: await alive() }
  },
  /** 200 plans, run and disposed. */
  plans: async () => {
    const alives: string[] = []
    for (let i = 1; i <= 200; i++) {
      using session = await compile(network(), { inputs: { x: { shape: [1 + (i % 3), 6, 6, 3] } }, device })
      const x = new Float32Array((1 + (i % 3)) * 108)
      for (let run = 0; run < 1 + (i % 4); run++) await session.run({ x })
      session.dispose()
      if (i % 50 === 0) alives.push(await alive())
    }
    return { alives }
  },
}

console.log(JSON.stringify(await scenarios[process.argv[2]!]!()))
