import { describe, expect, test } from 'vitest'
import * as models from '../../src/models/index.js'
import * as optim from '../../src/optim/index.js'

test('defaults are those of PyTorch', () => {
  const groups: optim.GroupRule[] = []
  expect(optim.sgd({ lr: 0.1 })).toEqual({
    kind: 'sgd',
    lr: 0.1,
    momentum: 0,
    nesterov: false,
    dampening: 0,
    weightDecay: 0,
    normWeightDecay: 0,
    biasWeightDecay: 0,
    groups,
  })
  expect(optim.adamw()).toEqual({
    kind: 'adamw',
    lr: 1e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: 0.01,
    normWeightDecay: 0.01,
    biasWeightDecay: 0.01,
    groups,
  })
  expect(optim.ema(0.999)).toEqual({ kind: 'ema', decay: 0.999 })
})

test.each<[() => unknown, RegExp]>([
  [() => optim.sgd({ lr: -1 }), /optim.sgd: lr must be a number above 0, got -1/],
  [() => optim.sgd({} as optim.SgdOptions), /lr must be a number above 0, got undefined/],
  [() => optim.sgd({ lr: 1, weightdecay: 1 } as optim.SgdOptions), /unknown option 'weightdecay'. Did you mean 'weightDecay'/],
  [() => optim.sgd({ lr: 1, nesterov: true }), /nesterov needs a momentum above 0/],
  [() => optim.sgd({ lr: 1, nesterov: 'yes' as unknown as boolean }), /nesterov must be true or false, got 'yes'/],
  [() => optim.sgd({ lr: 1, momentum: 1 }), /momentum must be a number in \[0, 1\), got 1/],
  [() => optim.sgd({ lr: 1, normWeightDecay: NaN }), /normWeightDecay must be a number of at least 0, got NaN/],
  [() => optim.adamw({ betas: [0.9] as unknown as [number, number] }), /betas must be two numbers/],
  [() => optim.adamw({ betas: [0.9, 1] }), /betas must be a number in \[0, 1\), got 1/],
  [() => optim.ema(1), /decay must be a number in \[0, 1\), got 1/],
  [
    () => optim.sgd({ lr: 1, groups: [{ match: 'fc' as unknown as RegExp, lr: 1 }] }),
    /groups\[0\]: match must be a regular expression/,
  ],
  [() => optim.sgd({ lr: 1, groups: [{ match: /fc/ }] }), /groups\[0\]: give lr, weightDecay or both/],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
})

describe('groupsOf', () => {
  const model = models.create('resnet20')
  const trained = model.parameters().filter(({ trainable }) => trainable)
  const groupOf = (grouping: optim.Grouping, name: string) =>
    grouping.groups[grouping.groupIndex[trained.findIndex(parameter => parameter.name === name)]!]

  test('one group when nothing differs', () => {
    const { groups, groupIndex } = optim.groupsOf(optim.sgd({ lr: 0.1, weightDecay: 1e-4 }), trained)
    expect(groups).toEqual([{ lrScale: 1, weightDecay: 1e-4 }])
    expect(new Set(groupIndex)).toEqual(new Set([0]))
    expect(groupIndex).toHaveLength(trained.length)
  })

  test('norm and bias have their own weight decay', () => {
    const grouping = optim.groupsOf(optim.sgd({ lr: 0.1, weightDecay: 1e-4, normWeightDecay: 0, biasWeightDecay: 1e-5 }), trained)
    expect(groupOf(grouping, 'conv1.weight')?.weightDecay).toBe(1e-4)
    expect(groupOf(grouping, 'bn1.bias')?.weightDecay).toBe(0)
    expect(groupOf(grouping, 'fc.bias')?.weightDecay).toBe(1e-5)
    expect(grouping.groups).toHaveLength(3)
  })

  test('the first rule that matches counts', () => {
    const grouping = optim.groupsOf(
      optim.sgd({
        lr: 0.1,
        weightDecay: 1e-4,
        groups: [
          { match: name => name === 'fc.bias', lr: 0.2 },
          { match: /^fc\./g, lr: 1, weightDecay: 0 },
        ],
      }),
      trained,
    )
    expect(groupOf(grouping, 'fc.bias')).toEqual({ lrScale: 2, weightDecay: 1e-4 })
    expect(groupOf(grouping, 'fc.weight')).toEqual({ lrScale: 10, weightDecay: 0 })
    expect(groupOf(grouping, 'conv1.weight')).toEqual({ lrScale: 1, weightDecay: 1e-4 })
  })

  test('a rule for nothing and too many groups are refused', () => {
    expect(() => optim.groupsOf(optim.sgd({ lr: 0.1, groups: [{ match: /head/, lr: 1 }] }), trained)).toThrow(
      /groups\[0\] \(match \/head\/\) decides about no trained parameter.*conv1.weight/,
    )
    const groups = trained.slice(0, 17).map(({ name }, i) => ({ match: (other: string) => other === name, weightDecay: i }))
    expect(() => optim.groupsOf(optim.sgd({ lr: 0.1, weightDecay: 20, groups }), trained)).toThrow(/18 groups.*at most 16/)
  })
})
