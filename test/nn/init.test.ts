import { expect, test } from 'vitest'
import { Parameter } from '../../src/graph/parameter.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { boxMuller, plainPair } from '../../src/nn/box_muller.js'
import * as nn from '../../src/nn/index.js'
import { philoxBlock } from '../../src/runtime/philox.js'

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

test('normal numbers have the very bits of the plain transform', () => {
  const compare = (words: Uint32Array, deviation: number) => {
    const [fast, plain] = [new Float32Array(4), new Float32Array(4)]
    boxMuller(words, deviation, fast, 0)
    for (const at of [0, 2]) plainPair(words[at]! >>> 8, words[at + 1]! >>> 8, deviation, plain, at)
    if (!fast.every((value, i) => Object.is(value, plain[i]))) expect({ words, fast }).toEqual({ words, fast: plain })
  }
  const words = new Uint32Array(4)
  for (let block = 0; block < 250_000; block++) {
    philoxBlock(3, 0, 1, block, words)
    compare(words, 0.05)
  }
  // Around the ends of all intervals, and where cosine, sine or logarithm are nearly zero.
  const near = (middle: number) => [-2, -1, 0, 1, 2].map(by => (middle + by) & 0xffffff)
  const ends = Array.from({ length: 513 }, (_, i) => near(i << 15)).flat()
  const small = Array.from({ length: 24 }, (_, i) => [...near(1 << i), ...near(-(1 << i))]).flat()
  for (const [i, b] of [...ends, ...small].entries())
    for (const a of [small[i % small.length]!, ends[(7 * i) % ends.length]!, 0, 1, 0xffffff])
      for (const deviation of [1, 1e-3]) compare(Uint32Array.of(a << 8, b << 8, b << 8, a << 8), deviation)
})

test('an odd number of normal numbers is the start of an even one', () => {
  const of = (size: number) => {
    const made = new Parameter([size], 'weight')
    nn.init.normal(1)(made, { seed: 5, id: 9 })
    return made.data
  }
  for (const size of [1, 2, 3, 5, 6, 7]) expect(of(size)).toEqual(of(8).subarray(0, size))
})

test('initial values are made when they are first read, once, and not where others replace them', () => {
  let filled = 0
  const fill = (values: Float32Array) => {
    filled++
    values.fill(2)
  }
  const read = new Parameter([3], 'weight')
  read.fillLater(fill)
  expect([read.size, filled]).toEqual([3, 0])
  expect([...read.data, ...read.data, filled]).toEqual([2, 2, 2, 2, 2, 2, 1])
  const replaced = new Parameter([3], 'weight')
  replaced.fillLater(fill)
  replaced.assign(Float32Array.of(5, 6, 7))
  expect([...replaced.data, filled]).toEqual([5, 6, 7, 1])
})

test('an array that somebody holds shows the values that come later, and never half of them', () => {
  const held = new Parameter([2], 'weight')
  const { data } = held
  held.fillLater(values => values.fill(3))
  expect([...data]).toEqual([3, 3])
  held.name = 'fc.weight'
  expect(() => held.assign(Float32Array.of(1))).toThrow("parameter 'fc.weight' takes 2 values of shape [2], not 1")
  expect([...data]).toEqual([3, 3])
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
