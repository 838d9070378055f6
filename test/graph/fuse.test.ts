import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { add, conv2d, relu, type Operand } from '../../src/graph/functions.js'
import { Parameter } from '../../src/graph/parameter.js'
import { fuse } from '../../src/graph/passes/fuse.js'
import type { Tensor } from '../../src/graph/tensor.js'
import * as models from '../../src/models/index.js'
import { line, ops, traced } from './traced.js'

const shape = [2, 8, 8, 4]
const filter = new Parameter([4, 3, 3, 4], 'weight')
const conv = (x: Operand): Tensor => conv2d(x, filter, { padding: 1 })
const fused = (body: (x: Tensor) => Tensor, kept: (y: Tensor) => Tensor[] = () => []) => {
  const { graph, y } = traced({ x: shape }, ({ x }) => body(x))
  fuse(graph, new Set(kept(y)))
  return graph.nodes
}
const lines = (body: (x: Tensor) => Tensor) => fused(body).map(line)

describe('after a convolution', () => {
  test.each<[string, (x: Tensor) => Tensor, string[]]>([
    ['relu', x => relu(conv(x)), ['conv2d relu']],
    ['residual on the right', x => add(conv(x), x), ['conv2d identity +residual']],
    ['residual on the left', x => add(x, conv(x)), ['conv2d identity +residual']],
    ['residual and relu', x => relu(add(conv(x), x)), ['conv2d relu +residual']],
    ['a second relu stays', x => relu(relu(conv(x))), ['conv2d relu', 'relu']],
    ['an add after a relu stays', x => add(relu(conv(x)), x), ['conv2d relu', 'add']],
    ['only one residual', x => add(add(conv(x), x), x), ['conv2d identity +residual', 'add']],
    [
      'of two convolutions the first takes the other',
      x => add(conv(x), conv(x)),
      ['conv2d identity', 'conv2d identity +residual'],
    ],
    ['twice itself', x => ((y: Tensor) => add(y, y))(conv(x)), ['conv2d identity', 'add']],
    ['a broadcast is no residual', x => add(conv(x), new Parameter([1, 1, 1, 4], 'bias')), ['conv2d identity', 'pointwise']],
  ])('%s', (_, body, expected) => {
    expect(lines(body)).toEqual(expected)
  })

  test('what two nodes read is not fused away', () => {
    const body = (x: Tensor) => {
      const y = conv(x)
      return add(relu(y), relu(y))
    }
    expect(ops(fused(body))).toEqual(['conv2d', 'relu', 'relu', 'add'])
  })

  test('the fused operation stands where all that it reads is ready', () => {
    const nodes = fused(x => {
      const y = conv(x)
      return relu(add(y, relu(x)))
    })
    expect(nodes.map(line)).toEqual(['relu', 'conv2d relu +residual'])
    expect(nodes[1]!.reads.residual).toBe(nodes[0]!.writes.y)
  })

  test('what is peeked is not fused away', () => {
    const { graph } = traced({ x: shape }, ({ x }) => relu(conv(x)))
    fuse(graph, new Set([graph.nodes[0]!.writes.y!]))
    expect(ops(graph.nodes)).toEqual(['conv2d', 'relu'])
  })
})

describe('residual blocks', () => {
  const block = (model: models.Classifier, training: boolean) => {
    const { graph } = traced({ x: [2, 32, 32, 3] }, ({ x }) => model(x), training)
    fuse(graph, new Set())
    return graph.nodes.filter(({ name }) => name.startsWith('layer2.0')).map(line)
  }

  test.each(['A', 'B'] as const)('shortcut %s, training', shortcut => {
    const model = models.create('resnet20', { shortcut })
    const side = {
      A: ['layer2.0.downsample shortcutA'],
      B: ['layer2.0.downsample.0 conv2d identity', 'layer2.0.downsample.1 batchNorm identity'],
    }[shortcut]
    const start = ['layer2.0.conv1 conv2d identity', 'layer2.0.bn1 batchNorm relu', 'layer2.0.conv2 conv2d identity', ...side]
    expect(block(model, true)).toEqual([...start, 'layer2.0.bn2 batchNorm relu +residual'])
    eraseReLU(model)
    expect(block(model, true)).toEqual([...start, 'layer2.0.bn2 batchNorm identity +residual'])
  })

  test('inference', () => {
    const model = models.create('resnet20')
    eraseReLU(model)
    expect(block(model, false)).toEqual([
      'layer2.0.conv1 conv2d identity',
      'layer2.0.bn1 batchNormInfer relu',
      'layer2.0.conv2 conv2d identity',
      'layer2.0.downsample shortcutA',
      'layer2.0.bn2 batchNormInfer identity +residual',
    ])
  })

  test('no relu and no add is left, erased or not', () => {
    for (const model of [new models.CifarResNet(20), new models.CifarResNet(8, { shortcut: 'B' }), new models.ResNet(18)]) {
      for (const proportion of [0, 1]) {
        eraseReLU(model, { proportion })
        const { graph } = traced({ x: [2, 32, 32, 3] }, ({ x }) => model(x))
        fuse(graph, new Set())
        expect(ops(graph.nodes).filter(op => op === 'relu' || op === 'add')).toEqual([])
      }
    }
  })

  test('peeking a batch norm keeps the nodes behind it, and no others', () => {
    const model = models.create('resnet20')
    const { trace, graph } = traced({ x: [2, 32, 32, 3] }, ({ x }) => model(x))
    fuse(graph, new Set([trace.lookup('layer1.0.bn2')]))
    expect(graph.nodes.filter(({ op }) => op === 'relu' || op === 'add').map(line)).toEqual([
      'layer1.0 add',
      'layer1.0.relu2 relu',
    ])
  })
})
