/** Gradient norms and active shares, against numbers that can be had in another way. */
import { expect, it } from 'vitest'
import { fromArrays } from '../../src/data/index.js'
import { eraseReLU } from '../../src/erase.js'
import { compile } from '../../src/graph/session.js'
import { create } from '../../src/models/index.js'
import { sgd } from '../../src/optim/index.js'
import { activeShares, gradientNorms } from '../../src/study/layers.js'
import { Trainer } from '../../src/train/trainer.js'

const batchSize = 16
const pixels = (count: number) => Uint8Array.from({ length: count * 12 * 12 }, (_, i) => (i * 2654435761) >>> 24)
const labels = (count: number) => Int32Array.from({ length: count }, (_, i) => i % 3)
const part = (size: number) => ({ images: pixels(size), labels: labels(size), shape: [12, 12, 1] as const })
const data = fromArrays({ ...part(batchSize), test: part(40) })
const model = () => create('resnet20', { width: 4, inChannels: 1, numClasses: 3, seed: 5 })
const options = { batchSize, device: 'cpu' }

it('norms of the modules are below the norm of the whole gradient, and far from 0; where nothing else is trained they are equal', async () => {
  const wholeNorm = async (network: ReturnType<typeof model>) => {
    await using trainer = new Trainer(network, { data, batchSize, epochs: 1, optimizer: sgd({ lr: 1e-9 }) })
    for await (const event of trainer.fit()) if (event.type === 'step') return event.gradientNorm
    throw new Error('no step')
  }
  const norms = await gradientNorms(model(), data, options)
  const blocks = ['layer1', 'layer2', 'layer3'].flatMap(stage => [0, 1, 2].map(i => `${stage}.${i}`))
  expect(norms.map(({ layer, place }) => [layer, place])).toEqual(blocks.map((block, i) => [block, i + 1]))
  expect(Math.hypot(...norms.map(({ value }) => value))).toBeLessThan(await wholeNorm(model()))
  for (const i of [0, 3, 8]) {
    const alone = model()
    for (const [path, parameter] of alone.namedParameters())
      if (parameter.role !== 'statistic') parameter.trainable = path.startsWith(blocks[i]!)
    expect(norms[i]!.value / (await wholeNorm(alone)), blocks[i]).toBeCloseTo(1, 4)
  }
})

it('shares of active units are those of the kept ReLUs', async () => {
  const network = model()
  eraseReLU(network, { location: 'last' })
  const shares = await activeShares(network, data, options)
  expect(shares.map(({ place }) => place)).toEqual([1, 2, 4, 6, 8, 10, 12, 14, 16, 18])
  expect(shares.slice(0, 3).map(({ layer }) => layer)).toEqual(['relu', 'layer1.0.relu1', 'layer1.1.relu1'])
  const { mean, std } = data
  using session = await compile(network, { inputs: { x: { shape: [32, 12, 12, 1] } }, peek: ['layer1.1.relu1'] })
  const x = Float32Array.from(data.test.images.subarray(0, 32 * 144), value => (value / 255 - mean[0]!) / std[0]!)
  const values = [...((await session.run({ x }))['layer1.1.relu1']!.data as Float32Array)]
  expect(shares[2]!.value).toBeCloseTo(values.filter(value => value > 0).length / values.length, 10)
  expect(shares[2]!.value).toBeGreaterThan(0.05)
  expect(shares[2]!.value).toBeLessThan(0.95)
})
