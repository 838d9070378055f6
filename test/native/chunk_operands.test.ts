/**
 * Every operand that may hold no more than a chunk: a region of a few operations, whose first writes what the others read, gives the same
 * bits with memory for a chunk and with memory for the batch.
 */
import { describe, expect, test } from 'vitest'
import { Graph } from '../../src/graph/graph.js'
import { serialise } from '../../src/graph/serialise.js'
import type { Tensor } from '../../src/graph/tensor.js'
import type { HostArray, Shape } from '../../src/runtime/dtype.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { makeDraw, type Draw } from './cases/draw.js'

const [images, channels] = [6, 16]
const f32 = (shape: Shape) => ({ dtype: 'f32', shape }) as const
const convolution = { stride: [1, 1], pad: [1, 1, 1, 1], dilation: [1, 1], groups: 1 }
const filters = f32([channels, 3, 3, channels])
const perChannel = f32([channels])
const activation = 'relu'
const epsilon = 1e-5

/** A graph of operations on f32, whose sources are random numbers and whose results are its outputs. */
class Region {
  readonly graph = new Graph()
  readonly arrays: Record<string, HostArray> = {}
  private readonly draw: Draw = makeDraw(1, false)

  constructor(readonly size: number) {}

  get activations() {
    return f32([images, this.size, this.size, channels])
  }

  source(name: string, type: ReturnType<typeof f32> = this.activations): Tensor {
    this.arrays[name] = (type === perChannel ? this.draw.positive(type.shape) : this.draw.values(type.shape)).data
    return this.graph.source(type, name, { kind: 'input', name })
  }

  sources(names: string, type?: ReturnType<typeof f32>): Record<string, Tensor> {
    return Object.fromEntries(names.split(' ').map(name => [name, this.source(name, type)]))
  }

  result(...[op, name, ...rest]: Parameters<Graph['add']>): void {
    for (const [operand, tensor] of Object.entries(this.graph.add(op, name, ...rest)))
      this.graph.outputs.set(`${name}.${operand}`, tensor)
  }

  async run(chunkMemory: boolean) {
    const regions = [{ begin: 0, end: this.graph.nodes.length, chunk: 2 }]
    const plain = { parameters: 'weights', checked: false, wholeStep: new Set<Tensor>(), layout: new StoreLayout([]) } as const
    using store = await Store.create('cpu', {})
    using plan = await Plan.create(serialise(this.graph, { ...plain, device: 'cpu', regions, chunkMemory }), store)
    const { outputs } = await plan.run([this.arrays], { seed: 0, step: 0, learningRates: [] })
    return { outputs, arena: plan.memory.arena }
  }
}

/** What reads the result of a batch norm's application. */
function forward(region: Region, x: Tensor) {
  region.result(
    'conv2d',
    'forward',
    { x, w: region.source('w', filters) },
    { ...convolution, activation },
    { y: region.activations },
  )
  region.result('conv2dBwdFilter', 'filter', { dy: region.source('dy'), x }, convolution, { dw: filters })
}

/** What reads the gradient that leaves a batch norm. */
function backward(region: Region, dy: Tensor) {
  region.result('conv2dBwdFilter', 'filter', { dy, x: region.source('input') }, convolution, { dw: filters })
  region.result('conv2dBwdData', 'data', { dy, w: region.source('w', filters) }, convolution, { dx: region.activations })
}

const makers: Record<string, (region: Region) => void> = {
  bnApply(region) {
    const reads = { ...region.sources('x'), ...region.sources('mean invstd gamma beta', perChannel) }
    const { y } = region.graph.add('bnApply', 'bn', reads, { activation }, { y: region.activations })
    forward(region, y!)
  },
  batchNormInfer(region) {
    const reads = { ...region.sources('x'), ...region.sources('mean variance gamma beta', perChannel) }
    const { y } = region.graph.add('batchNormInfer', 'bn', reads, { activation, epsilon }, { y: region.activations })
    forward(region, y!)
  },
  bnBwdApply(region) {
    const reads = { ...region.sources('dy x'), ...region.sources('mean invstd gamma beta dgamma dbeta', perChannel) }
    const { dx } = region.graph.add('bnBwdApply', 'bn', reads, { activation }, { dx: region.activations })
    backward(region, dx!)
  },
  batchNormInferBwd(region) {
    const reads = { ...region.sources('dy x'), ...region.sources('mean variance gamma beta', perChannel) }
    const types = { dx: region.activations, dgamma: perChannel, dbeta: perChannel }
    const { dx } = region.graph.add('batchNormInferBwd', 'bn', reads, { activation, epsilon }, types)
    backward(region, dx!)
  },
}

// Direct, tap by tap where the library has no convolution, and by Winograd's algorithm.
describe.each([6, 2, 24])('on %d pixels a side', size => {
  test.each(Object.keys(makers))('behind %s', async name => {
    const region = new Region(size)
    makers[name]!(region)
    const [chunk, batch] = [await region.run(true), await region.run(false)]
    expect(Object.keys(chunk.outputs)).toHaveLength(2)
    expect(chunk.arena).toBeLessThan(batch.arena)
    expect(chunk.outputs).toEqual(batch.outputs)
  })
})
