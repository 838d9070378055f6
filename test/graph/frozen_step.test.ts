/** What freezing parts of a model takes out of the training step. */
import { describe, expect, test } from 'vitest'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { adamw, ema, sgd } from '../../src/optim/index.js'
import type { PlanDesc } from '../../src/runtime/plan_desc.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { arenasFor } from '../../src/train/training_plan.js'
import { trainingDesc } from './training_desc.js'

const shape = [4, 32, 32, 3]
const headSize = 64 * 10 + 10

/** Layers with a node of the backward pass or with statistics of the batch, which go into the running ones. */
function trainedLayers({ nodes }: PlanDesc): string[] {
  const layers = nodes.filter(({ op }) => /Bwd/.test(op) || op === 'bnStats')
  return [...new Set(layers.map(({ name }) => name))]
}
const opsOf = ({ nodes }: PlanDesc) => new Set(nodes.map(({ op }) => op))

describe('all but the last layer frozen', () => {
  const model = new CifarResNet(20)
  const whole = trainingDesc(model, shape)
  model.freeze()
  model.fc.unfreeze()
  const desc = trainingDesc(model, shape)

  test('the backward pass is that of the last layer alone', () => {
    expect(trainedLayers(desc)).toEqual(['fc'])
    const ops = opsOf(desc)
    for (const op of ['conv2dBwdData', 'bnStats', 'bnBwdReduce', 'batchNormInferBwd', 'globalAvgPoolBwd', 'bnRunningUpdate'])
      expect(ops, op).not.toContain(op)
    expect(ops).toContain('batchNormInfer')
    expect(desc.nodes.length).toBeLessThan(whole.nodes.length / 3)
  })

  test('nothing is kept of the frozen layers for a backward pass: no masks', () => {
    expect(desc.tensors.filter(({ dtype, place }) => dtype === 'u8' && place === 'arena')).toEqual([])
  })

  test('gradient and optimizer state have the size of the last layer', () => {
    expect(desc.tensors.find(({ name, place }) => name === 'gradient' && place === 'arena')?.shape).toEqual([headSize])
    const layout = new StoreLayout(model.parameters())
    expect(layout.size).toBe(model.parameters().reduce((sum, { size }) => sum + size, 0))
    expect(arenasFor(layout, sgd({ lr: 0.1, momentum: 0.9 }), undefined)).toMatchObject({
      weights: layout.size,
      velocity: headSize,
    })
    expect(arenasFor(layout, adamw(), ema(0.9))).toMatchObject({ ema: layout.size, m: headSize, v: headSize })
  })

  test('unfreeze gives back exactly the step of the untouched model', () => {
    model.unfreeze()
    expect(trainingDesc(model, shape)).toEqual(whole)
  })
})

test('a frozen beginning ends the backward pass; a frozen layer above a trained one only passes the gradient on', () => {
  const model = new CifarResNet(20).freeze()
  model.layer2.unfreeze()
  const layers = trainedLayers(trainingDesc(model, shape))
  expect(layers.filter(name => /^(conv1|bn1|layer1)/.test(name))).toEqual([])
  expect(layers).toContain('layer2.0.conv1')
  expect(layers).toContain('layer3.2.conv2')
  const { nodes } = trainingDesc(model, shape)
  const named = (op: string) => nodes.filter(node => node.op === op).map(({ name }) => name)
  expect(named('conv2dBwdFilter').every(name => name.startsWith('layer2.'))).toBe(true)
  expect(named('conv2dBwdData')).not.toContain('layer2.0.conv1')
  const running = nodes.find(({ op }) => op === 'bnRunningUpdate')!.attributes.count
  expect(running).toHaveLength(named('bnStats').length)
})
