/** A filter that is itself computed, or a gradient seen through a reshape, must be complete before a region reads it. */
import { expect, test } from 'vitest'
import { conv2d, flatten, relu } from '../../src/graph/functions.js'
import { tile } from '../../src/graph/passes/tile.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { Conv2d, Linear, Module } from '../../src/nn/index.js'
import { add } from '../../src/index.js'
import { traced } from './traced.js'
import { trainingDesc } from './training_desc.js'

test('a computed filter and the convolution that reads it are not in one region', () => {
  const { graph } = traced({ x: [16, 96, 96, 16], w: [16, 3, 3, 16] }, ({ x, w }) => relu(conv2d(x, relu(w), { padding: 1 })))
  const nodes = graph.nodes.map(({ op }) => op)
  expect(nodes).toEqual(['relu', 'conv2d', 'relu'])
  expect(tile(graph.nodes)).toEqual([{ begin: 1, end: 3, chunk: 2 }])
})

/** A linear layer used twice: its two weight gradients are added through reshapes. */
class Tied extends Module {
  conv = new Conv2d(32, 32, 3, { padding: 1 })
  twice = new Linear(64 * 64 * 32, 16)
  fc = new Linear(16, 10)
  forward(x: Tensor): Tensor {
    const y = this.conv(x)
    return this.fc(add(this.twice(flatten(y)), this.twice(flatten(relu(y)))))
  }
}

test('gradients that meet behind a reshape are added outside the region that sums them', () => {
  const { nodes, regions, tensors } = trainingDesc(new Tied(), [16, 64, 64, 32])
  const rootOf = (tensor: number): number => (tensors[tensor]!.place === 'view' ? rootOf(tensors[tensor]!.of) : tensor)
  for (const { begin, end } of regions) {
    const sums = new Set(
      nodes
        .slice(begin, end)
        .filter(({ op }) => op === 'conv2dBwdFilter')
        .map(({ writes }) => rootOf(writes[0]!)),
    )
    for (const node of nodes.slice(begin, end))
      for (const tensor of node.reads) expect(tensor >= 0 && sums.has(rootOf(tensor))).toBe(false)
  }
  const inRegions = regions.flatMap(({ begin, end }) => nodes.slice(begin, end).map(({ op }) => op))
  expect(inRegions).toContain('conv2dBwdFilter')
})
