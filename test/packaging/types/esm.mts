// Compiled by entries.test.ts as a user's ESM module: what the types promise for `import`.
import { data, eraseReLU, models, optim, Trainer } from 'eraserelu'

const model = models.create('resnet20', { numClasses: 10, inChannels: 1 })
const report: string = eraseReLU(model, { location: 'last', proportion: 1 }).toString()

const trainer = new Trainer(model, {
  data: await data.open('fashion-mnist'),
  batchSize: 128,
  epochs: 10,
  seed: 1,
  optimizer: optim.sgd({ lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
  schedule: optim.multiStep([5, 8], 0.1),
})
for await (const event of trainer.fit({ signal: new AbortController().signal })) console.log(report, event)

// @ts-expect-error a location that does not exist
eraseReLU(model, { location: 'lsat', proportion: 1 })
