// Training steps with this package, as a user would run them. With --erased the last ReLU of every basic module is erased; with --low
// activations that are cheap to compute again are not kept.
import { fromBatches } from '../../../src/data/index.js'
import { eraseReLU } from '../../../src/erase.js'
import { create } from '../../../src/models/index.js'
import { sgd } from '../../../src/optim/index.js'
import { deviceInfo } from '../../../src/runtime/devices.js'
import { Trainer } from '../../../src/train/trainer.js'
import { images, readJob, report } from '../job.js'

const job = readJob()
const { model: name, batch: batchSize, size, precision, warmUp, steps } = job
const model = create(name, name === 'resnet50' ? {} : { numClasses: 10 })
const erased = process.argv.includes('--erased')
if (erased) eraseReLU(model, { location: 'last' })
const memory = process.argv.includes('--low') ? 'low' : 'normal'
const batch = { images: images(job), labels: new Int32Array(batchSize).map((_, i) => i % 10) }
async function* train() {
  for (let i = 0; i < warmUp + steps; i++) yield await Promise.resolve(batch)
}

const trainer = new Trainer(model, {
  data: fromBatches({
    train,
    shape: [size, size, 3],
    numClasses: model.numClasses,
    batchesPerEpoch: warmUp + steps,
    imageType: 'f32',
  }),
  batchSize,
  epochs: 1,
  precision,
  memory,
  optimizer: sgd({ lr: 0.01, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
})
const milliseconds: number[] = []
let before = performance.now()
for await (const event of trainer.fit()) {
  if (event.type !== 'step') continue
  const now = performance.now()
  milliseconds.push(now - before)
  before = now
}
await trainer.dispose()
const { library, instructions, threads } = deviceInfo()
report({
  peer: erased
    ? 'eraserelu, last ReLUs erased'
    : memory === 'low'
      ? "eraserelu, memory: 'low'"
      : `eraserelu (${library}, ${instructions})`,
  threads,
  milliseconds: milliseconds.slice(warmUp),
  parameters: model.parameterCount(),
})
