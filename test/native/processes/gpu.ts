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
import { Store } from '../../../src/runtime/store.js'
import { run } from '../../../src/graph/run.js'
import { compile } from '../../../src/graph/session.js'
import { encodeFloat16 } from '../../../src/runtime/float16.js'
import type { EngineOptions } from '../../../src/runtime/policy.js'
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
  memory: () => run('relu', { x: ramp([1 << 20]) }, {}, { device: 'cuda' }),
}

try {
  console.log(JSON.stringify(await scenarios[process.argv[2]!]!()))
} catch (error) {
  console.log(JSON.stringify(describe(error)))
}
