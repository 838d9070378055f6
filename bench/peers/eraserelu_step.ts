// Times training steps of ResNet-20 with this package, as a user would run them; prints one JSON line.
// Arguments: batch size, image size, steps.
import { data, deviceInfo, models, optim, Trainer } from '../../dist/index.js'

const [batchSize = 128, size = 32, steps = 30] = process.argv.slice(2).map(Number)
const warmUp = 5

// Fixed synthetic batches, normalised floats, as the peer gets them.
const images = new Float32Array(batchSize * size * size * 3).map((_, i) => Math.sin(i * 0.37))
const labels = new Int32Array(batchSize).map((_, i) => i % 10)
async function* train() {
  for (let i = 0; i < warmUp + steps; i++) yield await Promise.resolve({ images, labels })
}

const trainer = new Trainer(models.create('resnet20'), {
  data: data.fromBatches({ train, shape: [size, size, 3], numClasses: 10, batchesPerEpoch: warmUp + steps, imageType: 'f32' }),
  batchSize,
  epochs: 1,
  optimizer: optim.sgd({ lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
})
const milliseconds: number[] = []
let before = performance.now()
for await (const event of trainer.fit()) {
  if (event.type !== 'step') continue
  const now = performance.now()
  milliseconds.push(now - before)
  before = now
}
const { library, instructions, threads } = deviceInfo()
await trainer.dispose()
console.log(
  JSON.stringify({ peer: `eraserelu (${library}, ${instructions})`, threads, milliseconds: milliseconds.slice(warmUp) }),
)
