/** A worker thread that runs a session and a training; 'pending' leaves while both are busy. */
import { parentPort, workerData } from 'node:worker_threads'
import { compile, models, optim, Trainer } from '../../../src/index.js'
import { source } from '../../train/training.js'

const { mode } = workerData as { mode: 'finish' | 'pending' }
const model = models.create('resnet20', { numClasses: 4 })
const session = await compile(model, { inputs: { x: { shape: [16, 16, 16, 3] } } })
const { output } = await session.run({ x: Float32Array.from({ length: 16 * 16 * 16 * 3 }, (_, i) => Math.sin(i)) })
const trainer = new Trainer(model, {
  data: source(640, [32, 32, 3]),
  batchSize: 128,
  epochs: 100,
  optimizer: optim.sgd({ lr: 0.01 }),
})
for await (const event of trainer.fit()) {
  if (event.type !== 'step') continue
  parentPort!.postMessage({ output: output!.data, loss: event.loss })
  if (mode === 'finish') break
}
await trainer.dispose()
session.dispose()
