/**
 * A loss of your own: focal loss (Lin et al. 2017, arXiv 1708.02002), written with tensor functions. It turns the loss of
 * images down that the network is already sure about. The gradient comes by itself. At the end the trainer's number is
 * compared with the same formula in plain arithmetic.
 *
 *     npx tsx examples/custom_loss.ts
 */
import {
  affine, BatchNorm2d, compile, Conv2d, data, div, exp, GlobalAvgPool, initialize, Linear, log, max, MaxPool2d, mul, neg, oneHot, optim, pow, ReLU,
  Sequential, sub, sum, Trainer, type Loss, type Tensor,
} from 'eraserelu' // prettier-ignore

const gamma = 2

/** log softmax of scores [N, classes]; the maximum is taken off first, so that exp cannot overflow. */
function logSoftmax(scores: Tensor): Tensor {
  const shifted = sub(scores, max(scores, [-1]))
  return sub(shifted, log(sum(exp(shifted), [-1])))
}

/** Mean of -(1 - p)^gamma · log p over the images, p the probability of the right class. */
const focal: Loss = (scores, { labels }) => {
  const right = oneHot(labels, scores.shape[1]!)
  const logP = sum(mul(right, logSoftmax(scores)), [-1]) // [N, 1]
  const weight = pow(affine(exp(logP), -1, 1), gamma)
  // The last test batch is filled up with images of label -1: their rows of `right` are zero, and they do not count.
  return div(sum(mul(weight, neg(logP))), sum(right))
}

/** The same for one image, in plain arithmetic. */
function focalOf(scores: Float32Array, label: number): number {
  const largest = Math.max(...scores)
  const logP = scores[label]! - largest - Math.log(scores.reduce((total, score) => total + Math.exp(score - largest), 0))
  return -((1 - Math.exp(logP)) ** gamma) * logP
}

const source = await data.open('fashion-mnist-sample')
const model = initialize(
  new Sequential(
    new Conv2d(1, 16, 5, { stride: 2, padding: 2, bias: false }),
    new BatchNorm2d(16),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(16, 32, 3, { padding: 1, bias: false }),
    new BatchNorm2d(32),
    new ReLU(),
    new GlobalAvgPool(),
    new Linear(32, 10),
  ),
  1,
)
await using trainer = new Trainer(model, {
  data: source,
  batchSize: 64,
  epochs: 3,
  seed: 1,
  loss: focal,
  optimizer: optim.adamw({ lr: 0.01 }),
  schedule: optim.cosine(),
})
for await (const event of trainer.fit()) {
  if (event.type !== 'epoch') continue
  const { loss, accuracy } = event.test!
  console.log(`epoch ${event.epoch}: focal loss ${loss.toFixed(4)}, test accuracy ${(100 * accuracy!).toFixed(1)} %`)
}

const { images, labels, size, shape } = source.test
using session = await compile(model, { inputs: { images: { shape: [size, ...shape] } } })
const pixels = Float32Array.from(images, value => (value / 255 - source.mean[0]!) / source.std[0]!)
const scores = (await session.run({ images: pixels })).output!.data as Float32Array
const total = labels.reduce((loss, label, i) => loss + focalOf(scores.subarray(10 * i, 10 * i + 10), label), 0)
console.log(`in plain arithmetic: focal loss ${(total / size).toFixed(4)}`)
