// Times single operations on the CPU backend with the `benchmark` package: npm run bench -- ops
// Each runs through the same path as a whole model: a compiled plan with one node.
import Benchmark from 'benchmark'
import { compile, type Session } from '../src/graph/session.js'
import type { Tensor } from '../src/graph/tensor.js'
import { BatchNorm2d, Conv2d, MaxPool2d, Module, ReLU } from '../src/nn/index.js'
import { table } from './table.js'

class ConvBnReLU extends Module {
  readonly conv: Conv2d
  readonly bn: BatchNorm2d
  readonly relu = new ReLU()
  constructor(channels: number, erased: boolean) {
    super()
    this.conv = new Conv2d(channels, channels, 3, { padding: 1, bias: false })
    this.bn = new BatchNorm2d(channels)
    this.relu.erased = erased
  }
  forward(x: Tensor) {
    return this.relu(this.bn(this.conv(x)))
  }
}

const cases = [
  {
    name: 'conv 3x3, 16 channels, 32x32',
    model: new Conv2d(16, 16, 3, { padding: 1 }),
    shape: [128, 32, 32, 16],
    macs: 128 * 32 * 32 * 16 * 16 * 9,
  },
  {
    name: 'conv 3x3, 64 channels, 8x8',
    model: new Conv2d(64, 64, 3, { padding: 1 }),
    shape: [128, 8, 8, 64],
    macs: 128 * 8 * 8 * 64 * 64 * 9,
  },
  {
    name: 'conv 1x1, 256 to 64 channels, 56x56',
    model: new Conv2d(256, 64, 1),
    shape: [8, 56, 56, 256],
    macs: 8 * 56 * 56 * 256 * 64,
  },
  {
    name: 'conv + bn + relu, 16 channels, 32x32',
    model: new ConvBnReLU(16, false),
    shape: [128, 32, 32, 16],
    macs: 128 * 32 * 32 * 16 * 16 * 9,
  },
  {
    name: 'conv + bn, relu erased',
    model: new ConvBnReLU(16, true),
    shape: [128, 32, 32, 16],
    macs: 128 * 32 * 32 * 16 * 16 * 9,
  },
  {
    name: 'max pool 3x3, 64 channels, 112x112',
    model: new MaxPool2d(3, { stride: 2, padding: 1 }),
    shape: [8, 112, 112, 64],
    macs: 0,
  },
]

export async function timeOperations(): Promise<void> {
  const suite = new Benchmark.Suite()
  const sessions: Session[] = []
  for (const { name, model, shape } of cases) {
    const session = await compile(model, { inputs: { x: { shape } } })
    const x = new Float32Array(shape.reduce((a, b) => a * b)).map((_, i) => Math.sin(i))
    sessions.push(session)
    suite.add(name, {
      defer: true,
      fn: (deferred: { resolve(): void }) => void session.run({ x }).then(() => deferred.resolve()),
    })
  }
  await new Promise(resolve => suite.on('complete', resolve).run({ async: true }))
  const rows = suite.map((bench: Benchmark, i: number) => {
    const seconds = bench.stats.mean
    const { macs } = cases[i]!
    return [
      bench.name ?? '',
      (seconds * 1000).toFixed(2),
      `± ${bench.stats.rme.toFixed(1)} %`,
      macs > 0 ? ((2 * macs) / seconds / 1e9).toFixed(0) : '',
    ]
  })
  console.log(table(['operation (forward, with copies to and from the host)', 'ms', 'margin', 'GFLOP/s'], rows))
  for (const session of sessions) session.dispose()
}
