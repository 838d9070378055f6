/**
 * Trains on images of your own: bytes in plain arrays, no files. Here they are drawn: squares, discs, crosses and stripes in
 * noise, 16x16 pixels, RGB. Then it classifies one image that the training never saw.
 *
 *     npx tsx examples/own_arrays.ts
 */
import { BatchNorm2d, compile, Conv2d, data, GlobalAvgPool, Linear, MaxPool2d, optim, ReLU, Sequential, Trainer } from 'eraserelu'

const size = 16
const classNames = ['square', 'disc', 'cross', 'stripes']

/** One image as bytes [height][width][channels]: a shape somewhere, in some colour, over noise. */
function draw(kind: number, random: () => number): Uint8Array {
  const pixels = Uint8Array.from({ length: size * size * 3 }, () => 100 * random())
  const [top, left, radius] = [5 + 6 * random(), 5 + 6 * random(), 3 + 2 * random()]
  const colour = [0, 1, 2].map(() => 130 + 120 * random())
  const inside = [
    (y: number, x: number) => Math.max(Math.abs(y), Math.abs(x)) < radius,
    (y: number, x: number) => Math.hypot(y, x) < radius,
    (y: number, x: number) => Math.min(Math.abs(y), Math.abs(x)) < 1 && Math.max(Math.abs(y), Math.abs(x)) < radius,
    (y: number, x: number) => Math.max(Math.abs(y), Math.abs(x)) < radius && Math.floor(y + radius) % 3 === 0,
  ][kind]!
  for (let i = 0; i < pixels.length; i++) {
    const [row, column] = [Math.floor(i / (size * 3)), Math.floor(i / 3) % size]
    if (inside(row - top, column - left)) pixels[i] = colour[i % 3]!
  }
  return pixels
}

/** `count` images one after the other, and the class of each. */
function drawMany(count: number, random: () => number) {
  const labels = Array.from({ length: count }, (_, i) => i % classNames.length)
  const images = new Uint8Array(count * size * size * 3)
  labels.forEach((label, i) => images.set(draw(label, random), i * size * size * 3))
  return { images, labels }
}

/** Random numbers in [0, 1), the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = randomNumbers(1)
const source = data.fromArrays({
  name: 'shapes',
  ...drawMany(1600, random),
  shape: [size, size, 3],
  classNames,
  test: drawMany(400, random),
  augment: { pad: 2, flip: true },
})

const layer = (from: number, to: number) => [
  new Conv2d(from, to, 3, { padding: 1, bias: false }),
  new BatchNorm2d(to),
  new ReLU(),
]
const model = new Sequential(
  ...layer(3, 16),
  new MaxPool2d(2),
  ...layer(16, 32),
  ...layer(32, 32),
  new GlobalAvgPool(),
  new Linear(32, classNames.length),
)

await using trainer = new Trainer(model, {
  data: source,
  batchSize: 32,
  epochs: 4,
  optimizer: optim.sgd({ lr: 0.1, momentum: 0.9, weightDecay: 1e-4 }),
  schedule: optim.cosine(),
})
for await (const event of trainer.fit()) {
  if (event.type !== 'epoch') continue
  console.log(
    `epoch ${event.epoch}: loss ${event.train.loss.toFixed(3)}, test accuracy ${(100 * event.test!.accuracy!).toFixed(1)} %`,
  )
}

// What the trainer does to pixels, inference has to do, too: value/255, minus the mean, divided by the standard deviation.
const image = Float32Array.from(draw(2, random), (value, i) => (value / 255 - source.mean[i % 3]!) / source.std[i % 3]!)
using session = await compile(model, { inputs: { image: { shape: [1, size, size, 3] } } })
const { output } = await session.run({ image })
const scores = Array.from(output!.data)
console.log(`a cross is taken for a ${classNames[scores.indexOf(Math.max(...scores))]!}`)
