/** The types of a plan's tensors under each precision policy; nothing native runs. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { conv2d, mean, mul, square } from '../../src/graph/functions.js'
import type { GraphOp } from '../../src/graph/graph.js'
import { operandType } from '../../src/graph/passes/precision_table.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { operandNames, vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import * as nn from '../../src/nn/index.js'
import { ema } from '../../src/optim/index.js'
import { compile } from '../../src/index.js'
import { Internal, InvalidArgument, Unsupported } from '../../src/runtime/errors.js'
import type { NodeEntry, PlanDesc, TensorEntry } from '../../src/runtime/plan_desc.js'
import { state } from '../../src/runtime/store.js'
import { evaluationDesc, trainingDesc } from './training_desc.js'

const shape = [8, 32, 32, 3]
const model = new CifarResNet(20)
const bf16 = trainingDesc(model, shape, { precision: 'bf16' })

const nodesOf = ({ nodes }: PlanDesc, op: OpName) => nodes.filter(node => node.op === op)
const tensor = ({ tensors }: PlanDesc, index: number): TensorEntry => tensors[index]!
const operand = (desc: PlanDesc, node: NodeEntry, side: 'reads' | 'writes', name: string): TensorEntry =>
  tensor(desc, node[side][operandNames(vocabulary[node.op as OpName][side]).indexOf(name)]!)
/** 'f32 -> bf16' of every cast. */
const casts = (desc: PlanDesc) =>
  nodesOf(desc, 'cast').map(({ reads, writes }) => `${tensor(desc, reads[0]!).dtype} -> ${tensor(desc, writes[0]!).dtype}`)
/** The tensor that owns a tensor's memory. */
function rootOf(desc: PlanDesc, entry: TensorEntry): TensorEntry {
  return entry.place === 'view' ? rootOf(desc, tensor(desc, entry.of)) : entry
}

const offsetOf = (desc: PlanDesc, { place, of, offset }: TensorEntry): number =>
  place === 'view' ? offset + offsetOf(desc, tensor(desc, of)) : 0

describe('a bf16 training step of ResNet-20', () => {
  test('everything with images in it is bf16, every value a channel and all of the loss f32', () => {
    const wrong: string[] = []
    for (const node of bf16.nodes) {
      if (node.op === 'cast' || node.section === 'update') continue
      for (const index of [...node.reads, ...node.writes]) {
        if (index < 0) continue
        const { dtype, shape: dims, name } = tensor(bf16, index)
        const wanted = node.op === 'softmaxCrossEntropy' || dims.length === 1 ? 'f32' : 'bf16'
        if (dtype !== wanted && dtype !== 'u8' && dtype !== 'i32') wrong.push(`${node.op} ${name} [${dims.join()}] ${dtype}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('four casts, erased or not: weights, images, logits and their gradient', () => {
    const expected = ['f32 -> bf16', 'f32 -> bf16', 'bf16 -> f32', 'f32 -> bf16']
    expect(casts(bf16)).toEqual(expected)
    const erased = new CifarResNet(20)
    eraseReLU(erased, { location: 'last', proportion: 1 })
    expect(casts(trainingDesc(erased, shape, { precision: 'bf16' }))).toEqual(expected)
  })

  test('all filters are parts of one copy of the first stretch of the store, made first', () => {
    const [first] = bf16.nodes
    const [from, copy] = [tensor(bf16, first!.reads[0]!), tensor(bf16, first!.writes[0]!)]
    expect([first!.op, from.place, from.arena, from.offset, from.dtype]).toEqual(['cast', 'store', 'weights', 0, 'f32'])
    const filters = model.parameters().filter(({ role }) => role === 'weight')
    expect(copy.shape).toEqual([filters.reduce((sum, { size }) => sum + size, 0)])
    for (const node of [...nodesOf(bf16, 'conv2d'), ...nodesOf(bf16, 'conv2dBwdData')])
      expect(rootOf(bf16, operand(bf16, node, 'reads', 'w'))).toBe(copy)
  })

  test('biases are f32, and so are batch norm parameters and statistics', () => {
    const head = nodesOf(bf16, 'conv2d').at(-1)!
    expect(operand(bf16, head, 'reads', 'bias').dtype).toBe('f32')
    expect(operand(bf16, nodesOf(bf16, 'biasBwd')[0]!, 'writes', 'db').dtype).toBe('f32')
  })

  test('the gradients of filters are one bf16 tensor, the others one f32 tensor; norm and optimizer read both', () => {
    const [norm] = nodesOf(bf16, 'gradNorm')
    const gradients = norm!.reads.slice(2).map(index => tensor(bf16, index))
    const filters = model.parameters().filter(({ role }) => role === 'weight')
    const others = model.parameters().filter(({ role }) => role === 'bias' || role === 'norm')
    const sizeOf = (list: typeof filters) => list.reduce((sum, { size }) => sum + size, 0)
    expect(gradients.map(({ dtype, shape: dims }) => [dtype, ...dims])).toEqual([
      ['bf16', sizeOf(filters)],
      ['f32', sizeOf(others)],
    ])
    const updates = nodesOf(bf16, 'sgdUpdate')
    expect(updates.map(node => operand(bf16, node, 'reads', 'gradient'))).toEqual(gradients)
    const weights = updates.map(node => operand(bf16, node, 'writes', 'weights'))
    expect(weights.map(({ dtype, offset, shape: dims }) => [dtype, offset, ...dims])).toEqual([
      ['f32', 0, sizeOf(filters)],
      ['f32', sizeOf(filters), sizeOf(others)],
    ])
    for (const node of nodesOf(bf16, 'conv2dBwdFilter'))
      expect(rootOf(bf16, operand(bf16, node, 'writes', 'dw'))).toBe(gradients[0])
  })

  test('microbatches are added up in f32', () => {
    const desc = trainingDesc(model, shape, { precision: 'bf16', accumulate: 2 })
    const totals = nodesOf(desc, 'sum').map(({ reads, writes }) => [
      tensor(desc, reads[0]!).dtype,
      tensor(desc, writes[0]!).dtype,
    ])
    expect(totals).toContainEqual(['bf16', 'f32'])
    expect(totals.every(([, total]) => total === 'f32')).toBe(true)
  })

  test('filters of frozen layers are copied too', () => {
    const half = new CifarResNet(20)
    half.layer1.freeze()
    const desc = trainingDesc(half, shape, { precision: 'bf16' })
    const copied = nodesOf(desc, 'cast').filter(({ reads }) => tensor(desc, reads[0]!).place === 'store')
    expect(copied).toHaveLength(2)
    for (const node of nodesOf(desc, 'conv2d')) expect(operand(desc, node, 'reads', 'w').dtype).toBe('bf16')
  })
})

describe('other policies', () => {
  test('f32 and tf32 change no type: the same nodes and tensors', () => {
    const plain = trainingDesc(model, shape)
    expect(casts(plain)).toEqual([])
    for (const precision of ['f32', 'tf32'] as const) {
      const { nodes, tensors } = trainingDesc(model, shape, { precision })
      expect({ nodes, tensors }).toEqual({ nodes: plain.nodes, tensors: plain.tensors })
    }
  })

  test('f16 multiplies the gradient at the loss with the scale in the update state; bf16 does not', () => {
    const f16 = trainingDesc(model, shape, { precision: 'f16' })
    const [scaled, ...others] = nodesOf(f16, 'pointwise')
    expect(others).toEqual([])
    expect(scaled!.attributes.fn).toBe('mul')
    const scale = operand(f16, scaled!, 'reads', 'b')
    expect([scale.dtype, offsetOf(f16, scale), rootOf(f16, scale).arena]).toEqual(['f32', state.lossScale, 'state'])
    expect(nodesOf(bf16, 'pointwise')).toEqual([])
  })

  test('evaluation reads 16-bit copies of the weights it is asked for and returns f32', () => {
    const desc = evaluationDesc(model, shape, { precision: 'f16', ema: ema(0.9) })
    const [copy] = nodesOf(desc, 'cast')
    expect(tensor(desc, copy!.reads[0]!).arena).toBe('ema')
    for (const { tensor: index } of desc.outputs) expect(tensor(desc, index).dtype).toBe('f32')
  })

  test('a parameter used beside convolutions has gradients of both kinds in their own stretches', () => {
    class Gated extends nn.Module {
      conv = new nn.Conv2d(3, 8, 3, { bias: false })
      gate = nn.parameter([1, 1, 1, 8], 'weight', nn.init.ones)
      forward(x: Tensor): Tensor {
        return mul(conv2d(x, this.conv.weight), this.gate)
      }
    }
    const desc = trainingDesc(new Gated(), [2, 8, 8, 3], { precision: 'bf16', loss: y => mean(square(y)) })
    const gradients = nodesOf(desc, 'gradNorm')[0]!
      .reads.slice(2)
      .map(index => tensor(desc, index))
    expect(gradients.map(({ dtype, shape: dims }) => [dtype, ...dims])).toEqual([
      ['f32', 8],
      ['bf16', 216],
    ])
  })

  test('an operation without an entry is an internal error with its name', () => {
    expect(() => operandType('swirl' as GraphOp, 'x')).toThrow(Internal)
    expect(() => operandType('swirl' as GraphOp, 'x')).toThrow(/swirl/)
  })

  test('a CPU says that it has neither TF32 nor f16; a word that is no policy is refused', async () => {
    const inputs = { x: { shape: [1, 32, 32, 3] } }
    for (const precision of ['tf32', 'f16'] as const)
      await expect(compile(model, { inputs, precision })).rejects.toThrow(
        new Unsupported(`compile: precision '${precision}' needs a device 'cuda'; on 'cpu' use 'f32' or 'bf16'`),
      )
    await expect(compile(model, { inputs, precision: 'f64' as 'f32' })).rejects.toThrow(InvalidArgument)
  })
})
