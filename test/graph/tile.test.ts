import { describe, expect, test } from 'vitest'
import { globalAvgPool, mean, relu } from '../../src/graph/functions.js'
import type { Node } from '../../src/graph/graph.js'
import { tile } from '../../src/graph/passes/tile.js'
import { vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import { ResNet } from '../../src/models/resnet.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { BatchNorm2d, Module } from '../../src/nn/index.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { ops, traced } from './traced.js'
import { trainingDesc } from './training_desc.js'

const regionsOf = ({ nodes, regions }: PlanDesc) =>
  regions.map(({ begin, end, chunk }) => ({ chunk, nodes: nodes.slice(begin, end) }))

describe.each([
  ['resnet20', new CifarResNet(20), [128, 32, 32, 3]],
  ['resnet50', new ResNet(50, { numClasses: 10 }), [32, 128, 128, 3]],
] as const)('the training step of %s', (_, model, shape) => {
  const desc = trainingDesc(model, shape)
  const regions = regionsOf(desc)

  test('has regions of bnApply + conv2d + bnStats, and of the backward pass', () => {
    const found = regions.map(({ nodes }) => ops(nodes as unknown as Node[]).join(' '))
    expect(found.filter(list => list.includes('bnApply conv2d bnStats')).length).toBeGreaterThanOrEqual(5)
    expect(found.filter(list => /bnBwdApply.*conv2dBwdFilter.*conv2dBwdData/.test(list)).length).toBeGreaterThanOrEqual(5)
  })

  test('no region holds a whole operation, or reads a sum that is finished inside it', () => {
    for (const { nodes } of regions) {
      const sums = new Set<number>()
      for (const node of nodes) {
        const { batch } = vocabulary[node.op as OpName]
        expect(batch).not.toBe('whole')
        expect(node.reads.filter(tensor => sums.has(tensor))).toEqual([])
        if (batch === 'reduce') for (const tensor of node.writes) sums.add(tensor)
      }
      expect(nodes.length).toBeGreaterThan(1)
    }
  })

  test('regions are in order and apart, and chunks are smaller than the batch', () => {
    let before = 0
    for (const { begin, end, chunk } of desc.regions) {
      expect(begin).toBeGreaterThanOrEqual(before)
      expect(chunk).toBeGreaterThanOrEqual(1)
      expect(chunk).toBeLessThan(shape[0])
      before = end
    }
  })

  test('every node of a region works on the same number of images', () => {
    for (const { nodes } of regions) {
      const batches = nodes.map(node => {
        const { batch } = vocabulary[node.op as OpName]
        const [tensor] = (batch === 'map' ? node.writes : node.reads).filter(n => n >= 0)
        return desc.tensors[tensor!]!.shape[0]
      })
      expect(new Set(batches)).toEqual(new Set([shape[0]]))
    }
  })

  test('switched off: the same nodes, no region', () => {
    const plain = trainingDesc(model, shape, { disabledPasses: ['tile'] })
    expect(plain.regions).toEqual([])
    expect({ ...plain, regions: desc.regions }).toEqual(desc)
  })
})

test('small tensors are not cut', () => {
  const { graph } = traced({ x: [8, 8, 8, 4] }, ({ x }) => globalAvgPool(relu(relu(x))))
  expect(tile(graph.nodes)).toEqual([])
})

test('statistics and what applies them are never in one region', () => {
  class Norm extends Module {
    bn = new BatchNorm2d(64)
    forward(x: Tensor): Tensor {
      return relu(relu(this.bn(relu(x))))
    }
  }
  const desc = trainingDesc(new Norm(), [64, 32, 32, 64], { loss: y => mean(y) })
  const ranges = regionsOf(desc).map(({ nodes }) => ops(nodes as unknown as Node[]))
  for (const list of ranges) expect(list.includes('bnStats') && list.includes('bnApply')).toBe(false)
  expect(ranges.some(list => list.includes('bnStats'))).toBe(true)
})
