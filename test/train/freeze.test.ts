/** Training with frozen parts: what is frozen keeps its bits, the rest learns as in PyTorch. */
import { expect, test } from 'vitest'
import * as data from '../../src/data/index.js'
import { loadWeights } from '../../src/interop/index.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { initialize } from '../../src/nn/index.js'
import { adamw, ema, sgd } from '../../src/optim/index.js'
import { expectedOfTorch, torchFile, TorchNet } from '../interop/torch_net.js'
import { Trainer } from '../../src/train/trainer.js'
import { digest, source, train } from './training.js'

test('weights and running statistics of frozen layers are bit for bit what they were; the others change', async () => {
  const model = initialize(new CifarResNet(20, { numClasses: 4 }), 1)
  for (const { role, data } of model.parameters())
    if (role === 'statistic') data.forEach((value, i) => (data[i] = value + 0.1 * i + 0.05))
  model.freeze()
  model.layer3.unfreeze()
  model.fc.unfreeze()
  const digests = () => Array.from(model.namedParameters(), ([name, { data }]) => [name, digest(data)] as const)
  const before = new Map(digests())
  const { losses } = await train(model, { data: source(40), optimizer: adamw({ weightDecay: 0.1 }), ema: ema(0.5) })
  expect(losses).toHaveLength(5)
  for (const [name, after] of digests()) expect(after === before.get(name), name).toBe(!/^(layer3|fc)\./.test(name))
})

test('fine-tuning the last layer over frozen ones gives the weights PyTorch gets', async () => {
  const expected = await expectedOfTorch()
  const images = expected('images') as Float32Array
  const labels = expected('labels') as Int32Array
  const size = 4 * 6 * 6 * 3
  async function* batches(): AsyncGenerator<data.Batch> {
    for (const i of [0, 1, 2])
      yield await Promise.resolve({
        images: images.subarray(size * i, size * (i + 1)),
        labels: labels.subarray(4 * i, 4 * i + 4),
      })
  }
  const model = new TorchNet()
  await loadWeights(model, torchFile)
  model.freeze()
  model.fc.unfreeze()
  const statistics = digest(model.bn.running_mean.data)
  await train(model, {
    data: data.fromBatches({ train: batches, shape: [6, 6, 3], numClasses: 3, batchesPerEpoch: 3, imageType: 'f32' }),
    batchSize: 4,
    optimizer: sgd({ lr: 0.1, momentum: 0.9 }),
  })
  expect(digest(model.bn.running_mean.data)).toBe(statistics)
  for (const [name, parameter] of [
    ['tuned.weight', model.fc.weight],
    ['tuned.bias', model.fc.bias!],
  ] as const)
    // prettier-ignore
    for (const [i, value] of parameter.data.entries()) expect(value, name).toBeCloseTo(Number(expected(name)[i]), 5)
})

test('the moving average of a frozen weight is the weight', async () => {
  const model = initialize(new CifarResNet(20, { numClasses: 4 }), 1).freeze()
  model.fc.unfreeze()
  const before = digest(model.conv1.weight.data)
  const options = { data: source(40), batchSize: 8, epochs: 1, optimizer: sgd({ lr: 0.1 }), ema: ema(0.3) }
  await using trainer = new Trainer(model, options)
  const events = []
  for await (const { type } of trainer.fit()) events.push(type)
  expect(events.at(-1)).toBe('end')
  await trainer.writeBack('ema')
  expect(digest(model.conv1.weight.data)).toBe(before)
})
