import { expect, test } from 'vitest'
import type { Tensor } from '../../src/graph/tensor.js'
import * as nn from '../../src/nn/index.js'

const moments = (data: Float32Array) => {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length
  return { mean, deviation: Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length) }
}

test('normal and uniform numbers have the right moments', () => {
  const data = nn.parameter([50_001], 'weight', nn.init.normal(2)).data
  // Four standard errors: 4·2/sqrt(n) = 0.036 of the mean, 4·2/sqrt(2n) = 0.025 of the deviation.
  expect(Math.abs(moments(data).mean)).toBeLessThan(0.036)
  expect(Math.abs(moments(data).deviation - 2)).toBeLessThan(0.025)
  const even = nn.parameter([50_001], 'weight', nn.init.uniform(3)).data
  expect(Math.abs(moments(even).deviation - Math.sqrt(3))).toBeLessThan(0.03)
  expect(even.every(x => x >= -3 && x < 3)).toBe(true)
})

test('each scheme has its scale', () => {
  const shape = [64, 3, 3, 32]
  const deviation = (init: nn.init.Init) => moments(nn.parameter(shape, 'weight', init).data).deviation
  expect(deviation(nn.init.heNormal('fan-out')) / Math.sqrt(2 / (9 * 64))).toBeCloseTo(1, 1)
  expect(deviation(nn.init.heNormal('fan-in')) / Math.sqrt(2 / (9 * 32))).toBeCloseTo(1, 1)
  expect(deviation(nn.init.kaimingUniform) / Math.sqrt(1 / 3 / (9 * 32))).toBeCloseTo(1, 1)
})

test('layers hold sensible values from the start, and different ones', () => {
  const [a, b] = [new nn.Conv2d(3, 4, 3), new nn.Conv2d(3, 4, 3)]
  expect(a.weight.data).not.toEqual(b.weight.data)
  expect(moments(a.weight.data).deviation).toBeGreaterThan(0.05)
  const bn = new nn.BatchNorm2d(2)
  expect([bn.weight, bn.bias, bn.running_mean, bn.running_var].map(({ data }) => [...data])).toEqual([
    [1, 1],
    [0, 0],
    [0, 0],
    [1, 1],
  ])
})

class Net extends nn.Module {
  constructor(extra: boolean) {
    super()
    if (extra) this.extra = new nn.Linear(7, 7)
    this.conv = new nn.Conv2d(3, 4, 3)
  }
  extra: nn.Linear | undefined
  conv: nn.Conv2d
  forward(x: Tensor): Tensor {
    return this.conv(x)
  }
}

test('a value depends on the seed and the name only', () => {
  const weights = (seed: number, extra = false) => nn.initialize(new Net(extra), seed).conv.weight.data
  expect(weights(1)).toEqual(weights(1, true))
  expect(weights(1)).not.toEqual(weights(2))
  const net = nn.initialize(new Net(true), 1)
  expect(net.conv.weight.name).toBe('conv.weight')
  net.conv.weight.data.fill(7)
  expect(nn.initialize(net, 1).conv.weight.data).toEqual(weights(1))
})

test('a seed must be a non-negative integer', () => {
  expect(() => nn.initialize(new Net(false), -1)).toThrow(/seed/)
})
