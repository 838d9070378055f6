/** Uses device `cuda` in ways that depend on the environment of the process, and prints what came of it as JSON. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eraseReLU } from '../../../src/erase.js'
import { CifarResNet } from '../../../src/models/resnet_cifar.js'
import { sgd } from '../../../src/optim/index.js'
import { Trainer, type TrainerOptions } from '../../../src/train/trainer.js'
import { source, weightsOf } from '../../train/training.js'
import { deviceInfo, devices, deviceProblem } from '../../../src/runtime/devices.js'
import { Plan } from '../../../src/runtime/plan.js'
import { Store } from '../../../src/runtime/store.js'
import { StoreLayout } from '../../../src/runtime/store_layout.js'
import { Graph } from '../../../src/graph/graph.js'
import { run } from '../../../src/graph/run.js'
import { serialise } from '../../../src/graph/serialise.js'
import { compile } from '../../../src/graph/session.js'
import { f32 } from '../../../src/graph/tensor.js'
import { encodeFloat16 } from '../../../src/runtime/float16.js'
import { policyOf, type EngineChoices, type EngineOptions } from '../../../src/runtime/policy.js'
import { BatchNorm2d, Conv2d, ReLU, Sequential, initialize } from '../../../src/nn/index.js'

const ramp = (shape: readonly number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7) % 11) - 5),
})
const window = { stride: [1, 1], pad: [1, 1, 1, 1], dilation: [1, 1], groups: 1 }

const describe = (error: unknown) => {
  const { code, message } = error as Error & { code: string }
  return { code, message }
}

const scenarios: Record<string, () => Promise<unknown>> = {
  devices: () => Promise.resolve({ devices: devices(), problem: deviceProblem('cuda') }),
  /** A convolution with everything fused, and a data gradient with an addend. */
  convolutions: async () => {
    const [x, w, y] = [ramp([2, 5, 5, 8]), ramp([8, 3, 3, 8]), ramp([2, 5, 5, 8])]
    const forward = { x, w, bias: ramp([8]), residual: y }
    const answers = ['cpu', 'cuda'].map(async device => {
      const conv2d = await run('conv2d', forward, { ...window, activation: 'relu' }, { device })
      const outputs = { dx: { shape: x.shape } }
      const bwdData = await run('conv2dBwdData', { dy: y, w, addend: x }, window, { device, outputs })
      return [[...conv2d.y!.data], [...bwdData.dx!.data]]
    })
    const [cpu, cuda] = await Promise.all(answers)
    return { equal: JSON.stringify(cpu) === JSON.stringify(cuda) }
  },
  /** The same in bf16 and f16, where sums of so small integers are exact however often they are rounded; the bias is f32. */
  convolutions16: async () => {
    const small = (shape: readonly number[]) => ({ shape, data: ramp(shape).data.map(value => Math.sign(value)) })
    const equal = (['bf16', 'f16'] as const).map(async dtype => {
      const typed = (shape: readonly number[]) => ({ shape, data: encodeFloat16(small(shape).data, dtype), dtype })
      const [x, w, y] = [typed([2, 5, 5, 8]), typed([8, 3, 3, 8]), typed([2, 5, 5, 8])]
      const answers = ['reference', 'cuda'].map(async device => {
        const conv2d = await run('conv2d', { x, w, bias: ramp([8]), residual: y }, { ...window, activation: 'relu' }, { device })
        const options = { device, outputs: { dx: { shape: x.shape } } }
        const bwdData = await run('conv2dBwdData', { dy: y, w, addend: x }, window, options)
        return [[...conv2d.y!.data], [...bwdData.dx!.data]]
      })
      const [reference, cuda] = await Promise.all(answers)
      return JSON.stringify(reference) === JSON.stringify(cuda)
    })
    return { equal: await Promise.all(equal) }
  },
  /** The same plan several times, with other inputs. */
  session: async () => {
    const model = new Sequential(new Conv2d(3, 8, 3, { padding: 1 }), new BatchNorm2d(8), new ReLU(), new Conv2d(8, 4, 3))
    initialize(model, 1)
    const inputs = { x: { shape: [2, 6, 6, 3] } }
    using cpu = await compile(model, { inputs })
    using cuda = await compile(model, { inputs, device: 'cuda' })
    const differences: number[] = []
    for (const factor of [1, -2, 3]) {
      const x = ramp([2, 6, 6, 3]).data.map(value => value * factor)
      const [expected, actual] = await Promise.all([cpu.run({ x }), cuda.run({ x })])
      const [a, b] = [expected, actual].map(result => Object.values(result)[0]!.data)
      differences.push(Math.max(...Array.from(a!, (value, i) => Math.abs(value - b![i]!))))
    }
    return { differences, engines: cuda.engines.map(({ engine }) => engine) }
  },
  /** The first use of `cuda` fails as the environment says; then further uses of it, of the CPU and of the second GPU. */
  lost: async () => {
    const x = { shape: [3], data: Float32Array.of(-1, 1, 2) }
    const relu = async (device: string) => [...(await run('relu', { x }, {}, { device })).y!.data]
    const failed = (use: () => unknown) =>
      Promise.resolve()
        .then(use)
        .then(() => 'no error', describe)
    const uses = [() => relu('cuda'), () => relu('cuda'), () => deviceInfo('cuda'), () => Store.create('cuda', { weights: 1 })]
    const failures: unknown[] = []
    for (const use of uses) failures.push(await failed(use))
    return { failures, cpu: await relu('cpu'), second: await relu('cuda:1') }
  },
  /** Images of 32 KiB in f32 through a layer that changes nothing of their size. */
  batch: async () => {
    const batch = Number(process.env.BATCH ?? 128)
    const shape = [batch, 32, 32, 8]
    using session = await compile(new Sequential(new ReLU()), { inputs: { x: { shape } }, device: 'cuda' })
    await session.run({ x: new Float32Array(batch << 13) })
    return { batch }
  },
  /** Which engine a convolution gets, under the options given as JSON. */
  choice: async () => {
    const options = JSON.parse(process.argv[3] ?? '{}') as EngineOptions
    const model = new Conv2d(8, 8, 3, { padding: 1, bias: true })
    initialize(model, 1)
    const warnings: string[] = []
    process.on('warning', warning => warnings.push(`${(warning as { code?: string }).code} ${warning.message}`))
    using session = await compile(model, { inputs: { x: { shape: [2, 6, 6, 8] } }, device: 'cuda', ...options })
    await new Promise(resolve => setImmediate(resolve))
    return { engines: session.engines.map(({ engine }) => engine), warnings }
  },
  /** Two steps of a small residual network: losses, weights with running statistics, and by what batch norm was computed. */
  norms: async () => {
    const { erased = false, ...options } = JSON.parse(process.argv[3] ?? '{}') as Partial<TrainerOptions> & { erased?: boolean }
    const model = initialize(new CifarResNet(8), 1)
    if (erased) eraseReLU(model)
    const outputDir = mkdtempSync(join(tmpdir(), 'eraserelu-norms-'))
    const warnings: string[] = []
    process.on('warning', ({ message }) => warnings.push(message))
    const losses: number[] = []
    {
      const settings = { batchSize: 8, epochs: 1, optimizer: sgd({ lr: 0.05, momentum: 0.9 }), device: 'cuda' }
      await using trainer = new Trainer(model, { data: source(16, [16, 16, 3], { classes: 10 }), ...settings, ...options })
      for await (const event of trainer.fit({ outputDir })) if (event.type === 'step') losses.push(event.loss)
    }
    const file = join(outputDir, 'engines.json')
    const { engines } = existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as { engines: Record<string, string> })
      : { engines: {} }
    rmSync(outputDir, { recursive: true })
    const norms = Object.fromEntries(Object.entries(engines).filter(([computed]) => computed.startsWith('bn')))
    return { losses, weights: [...weightsOf(model)], norms, warnings }
  },
  /** A batch norm of the shape and the other options given as JSON, of ramps: its results, by what it was computed, and what was chosen and said. */
  norm: async () => {
    const {
      shape = [2, 4, 4, 8],
      epsilon = 1e-5,
      gradient = false,
      activations = ['relu', 'relu'],
      choices = {},
      ...options
    } = JSON.parse(process.argv[3] ?? '{}') as EngineOptions & {
      shape?: number[]
      epsilon?: number
      gradient?: boolean
      activations?: [string, string]
      choices?: EngineChoices
    }
    const warnings: string[] = []
    process.on('warning', ({ message }) => warnings.push(message))
    const graph = new Graph()
    const arrays: Record<string, Float32Array> = {}
    const input = (name: string, of: readonly number[]) => {
      arrays[name] = ramp(of).data
      return graph.source(f32(of), name, { kind: 'input', name })
    }
    const channels = [shape.at(-1)!]
    const x = input('x', shape)
    const [gamma, beta] = [input('gamma', channels), input('beta', channels)]
    const vectors = (...names: string[]) => Object.fromEntries(names.map(name => [name, f32(channels)]))
    const [before, behind] = [{ activation: activations[0] }, { activation: activations[1] }]
    if (gradient) {
      const reads = { dy: input('dy', shape), x, mean: input('mean', channels), invstd: input('invstd', channels), gamma, beta }
      const sums = graph.add('bnBwdReduce', 'norm', reads, before, vectors('dgamma', 'dbeta'))
      const { dx } = graph.add('bnBwdApply', 'norm', { ...reads, ...sums }, behind, { dx: f32(shape) })
      for (const [name, tensor] of Object.entries({ ...sums, dx })) graph.outputs.set(name, tensor!)
    } else {
      const statistics = graph.add('bnStats', 'norm', { x }, { epsilon }, vectors('mean', 'invstd', 'variance'))
      const { mean, invstd } = statistics
      const { y } = graph.add('bnApply', 'norm', { x, mean, invstd, gamma, beta }, behind, { y: f32(shape) })
      for (const [name, tensor] of Object.entries({ ...statistics, y })) graph.outputs.set(name, tensor!)
    }
    const desc = serialise(graph, {
      device: 'cuda',
      checked: false,
      policy: policyOf(options, { choices }),
      layout: new StoreLayout([]),
      parameters: 'weights',
      regions: [],
      wholeStep: new Set(),
    })
    using store = await Store.create('cuda', {})
    using plan = await Plan.create(desc, store)
    const { outputs } = await plan.run([arrays])
    const results = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data]]))
    return { results, engines: plan.engines, choices: plan.choices, warnings }
  },
  memory: () => run('relu', { x: ramp([1 << 20]) }, {}, { device: 'cuda' }),
}

try {
  console.log(JSON.stringify(await scenarios[process.argv[2]!]!()))
} catch (error) {
  console.log(JSON.stringify(describe(error)))
}
