/** What erasing the last ReLU of every block does to the training step. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { operandNames, vocabulary, type OpName } from '../../src/graph/vocabulary.js'
import type { Classifier } from '../../src/models/classifier.js'
import { ResNet } from '../../src/models/resnet.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import type { NodeEntry, PlanDesc } from '../../src/runtime/plan_desc.js'
import { evaluationDesc, trainingDesc } from './training_desc.js'

const blocks = new Map<string, [Classifier, number]>([
  ['resnet20', [new CifarResNet(20), 9]],
  ['resnet20 B', [new CifarResNet(20, { shortcut: 'B' }), 9]],
  ['resnet18', [new ResNet(18, { numClasses: 10 }), 8]],
])

/** How many nodes write the operand. */
const writers = ({ nodes }: PlanDesc, operand: string) => nodes.filter(node => written(node).includes(operand)).length
const written = ({ op, writes }: NodeEntry) =>
  operandNames(vocabulary[op as OpName].writes).filter((_, i) => (writes[i] ?? -1) >= 0)
/** Bytes of the operand in all nodes that write it; with `beside`, only where that one is written too. */
const writtenBytes = (desc: PlanDesc, operand: string, beside = operand) =>
  desc.nodes
    .filter(node => written(node).includes(operand) && written(node).includes(beside))
    .map(({ op, writes }) => desc.tensors[writes[operandNames(vocabulary[op as OpName].writes).indexOf(operand)]!]!)
    .reduce((sum, { dtype, shape }) => sum + shape.reduce((a, b) => a * b, dtype === 'u8' ? 1 : 4), 0)
const arenaBytes = ({ tensors }: PlanDesc) =>
  tensors
    .filter(({ place }) => place === 'arena')
    .reduce((sum, { dtype, shape }) => sum + shape.reduce((a, b) => a * b, dtype === 'u8' ? 1 : 4), 0)

describe.each([...blocks])('%s', (_, [model, count]) => {
  const shape = [4, 32, 32, 3]
  eraseReLU(model, { proportion: 0 })
  const baseline = trainingDesc(model, shape)
  eraseReLU(model)
  const erased = trainingDesc(model, shape)
  eraseReLU(model, { proportion: 0.5 })
  const half = trainingDesc(model, shape)
  eraseReLU(model, { proportion: 0 })

  test('no node is a relu or its gradient: activations are attributes', () => {
    for (const { nodes } of [baseline, erased, half]) {
      expect(nodes.filter(({ op }) => op === 'relu' || op === 'reluBwd')).toEqual([])
    }
  })

  test('a kept block end writes a mask and a gradient for the shortcut, an erased one neither', () => {
    expect([writers(baseline, 'mask'), writers(baseline, 'dresidual')]).toEqual([count, count])
    expect([writers(erased, 'mask'), writers(erased, 'dresidual')]).toEqual([0, 0])
    const treated = Math.floor(count / 2 + 0.5)
    expect([writers(half, 'mask'), writers(half, 'dresidual')]).toEqual([count - treated, count - treated])
  })

  test('a kept block end keeps one bit an element and one gradient for the shortcut, an erased one no byte of either', () => {
    const elements = writtenBytes(baseline, 'y', 'mask') / 4
    expect(elements).toBeGreaterThan(0)
    expect(writtenBytes(baseline, 'mask')).toBe(elements / 8)
    expect(writtenBytes(baseline, 'dresidual')).toBe(elements * 4)
    expect([writtenBytes(erased, 'mask'), writtenBytes(erased, 'dresidual')]).toEqual([0, 0])
  })

  test('the gradient that arrives at an erased block end is, uncopied, that of its shortcut', () => {
    const kept = new Set(baseline.nodes.filter(node => written(node).includes('mask')).map(({ name }) => name))
    const ends = erased.nodes.filter(({ op, name }) => op === 'bnBwdApply' && kept.has(name))
    expect(ends.length).toBe(count)
    for (const { name, reads } of ends) {
      const others = erased.nodes.filter(node => node.name !== name && node.reads.includes(reads[0]!))
      expect(others.length, name).toBeGreaterThan(0)
    }
  })

  test('each erased ReLU turns its fused operations to the identity', () => {
    const identities = ({ nodes }: PlanDesc, op: string) =>
      nodes.filter(n => n.op === op && n.attributes.activation === 'identity').length
    for (const op of ['bnApply', 'bnBwdReduce', 'bnBwdApply'])
      expect(identities(erased, op) - identities(baseline, op)).toBe(count)
  })

  test('erasing adds no node and no tensor, and takes memory away', () => {
    expect(erased.nodes.length).toBeLessThanOrEqual(baseline.nodes.length)
    expect(erased.tensors.length).toBeLessThanOrEqual(baseline.tensors.length - 2 * count)
    expect(arenaBytes(erased)).toBeLessThan(arenaBytes(half))
    expect(arenaBytes(half)).toBeLessThan(arenaBytes(baseline))
  })

  test('proportion 0 gives exactly the plan of the untouched model', () => {
    expect(trainingDesc(model, shape)).toEqual(baseline)
    const untouched = evaluationDesc(model, shape)
    eraseReLU(model)
    expect(evaluationDesc(model, shape)).not.toEqual(untouched)
    eraseReLU(model, { proportion: 0 })
    expect(evaluationDesc(model, shape)).toEqual(untouched)
    expect(JSON.stringify(trainingDesc(model, shape))).toBe(JSON.stringify(baseline))
  })
})
