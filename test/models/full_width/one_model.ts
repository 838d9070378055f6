/** Trains one step and infers with a registered model at its full width, as published and erased, and prints a row of each as JSON; anything wrong is thrown. */
import { strict as assert } from 'node:assert'
import { relusOf } from '../../../src/cli/model_of.js'
import { fromBatches, type Batch } from '../../../src/data/index.js'
import { eraseReLU } from '../../../src/erase.js'
import { compile } from '../../../src/graph/session.js'
import { BatchNorm2d } from '../../../src/nn/index.js'
import { create, summarize, type Classifier } from '../../../src/models/index.js'
import { sgd } from '../../../src/optim/index.js'
import type { StepEvent } from '../../../src/train/events.js'
import { Trainer } from '../../../src/train/trainer.js'

const batchSize = 2
/** Of images; at 32 pixels the batch norms of the large networks would see two values a channel, and gradients of 1e9. */
const sizes = { small: [16, 32], large: [64, 224] }

/** The smallest size at which the network can be built. */
function sizeFor(model: Classifier): number {
  const { imageSize, inChannels } = model
  const errors: unknown[] = []
  for (const size of imageSize > 64 ? sizes.large : sizes.small) {
    try {
      summarize(model, [batchSize, size, size, inChannels])
      return size
    } catch (error) {
      errors.push(error)
    }
  }
  throw errors.at(-1)
}

/** One batch, the same every time, of bytes without a pattern. */
function oneBatch({ inChannels, numClasses }: Classifier, size: number) {
  let noise = 1
  const next = () => (noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0) >>> 24
  const images = Uint8Array.from({ length: batchSize * size * size * inChannels }, next)
  const labels = Int32Array.from({ length: batchSize }, (_, i) => (7 * i) % numClasses)
  async function* train(): AsyncGenerator<Batch> {
    yield await Promise.resolve({ images, labels })
  }
  return fromBatches({ train, shape: [size, size, inChannels], numClasses, batchesPerEpoch: 1 })
}

async function step(model: Classifier, size: number): Promise<StepEvent> {
  const optimizer = sgd({ lr: 0.01, momentum: 0.9 })
  // Clipped: the gradient of a thousand layers has a norm of 1e5 at first, and one step of it ends in infinity.
  await using trainer = new Trainer(model, { data: oneBatch(model, size), batchSize, epochs: 1, optimizer, clipGradNorm: 1 })
  let done: StepEvent | undefined
  for await (const event of trainer.fit()) if (event.type === 'step') done = event
  assert(done)
  return done
}

async function logitsOf(model: Classifier, size: number): Promise<readonly number[]> {
  const shape = [batchSize, size, size, model.inChannels]
  using session = await compile(model, { inputs: { x: { shape } } })
  const x = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * 37) % 101) / 50 - 1)
  const { output } = await session.run({ x })
  assert.deepEqual(output!.shape, [batchSize, model.numClasses])
  return Array.from(output!.data as Float32Array)
}

const name = process.argv[2]!
const rows = []
for (const arm of ['published', 'erased'] as const) {
  const begun = performance.now()
  const model = create(name, { seed: 1 })
  // The running statistics become those of the one step: with a tenth of them, a thousand layers would grow beyond all bounds.
  for (const [, module] of model.namedModules()) if (module instanceof BatchNorm2d) Object.assign(module, { momentum: 1 })
  if (arm === 'erased') eraseReLU(model, { allowLinear: true })
  const size = sizeFor(model)
  const before = model.parameters().map(({ data }) => data.slice(0, 64))
  const { loss, gradientNorm } = await step(model, size)
  assert(
    Number.isFinite(loss) && Number.isFinite(gradientNorm) && gradientNorm > 0,
    `${arm}: loss ${loss}, gradient ${gradientNorm}`,
  )
  assert(
    model.parameters().some(({ data }, i) => before[i]!.some((value, k) => value !== data[k])),
    `${arm}: nothing was trained`,
  )
  const logits = await logitsOf(model, size)
  assert(logits.every(Number.isFinite), `${arm}: an output is not finite`)
  assert(new Set(logits).size > 1, `${arm}: all outputs are the same`)
  rows.push({
    arm,
    size,
    relus: [...relusOf(model).values()].filter(state => state === 'kept').length,
    loss: Number(loss.toPrecision(6)),
    seconds: Number(((performance.now() - begun) / 1000).toFixed(1)),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  })
}
console.log(JSON.stringify(rows))
