/**
 * Fine-tuning with a frozen body. A network is trained on ten classes and saved. Its weights go into a network with another
 * head, four groups of clothes; the body is frozen, and the head learns from 200 images. Beside it, the same on a body that
 * was never trained.
 *
 *     npx tsx examples/fine_tune.ts
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BatchNorm2d, Conv2d, data, GlobalAvgPool, initialize, Linear, loadWeights, MaxPool2d, Module, optim, ReLU, saveWeights, Sequential, Trainer,
  type Tensor,
} from 'eraserelu' // prettier-ignore

class Net extends Module {
  body = new Sequential(
    new Conv2d(1, 16, 5, { stride: 2, padding: 2, bias: false }),
    new BatchNorm2d(16),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(16, 32, 3, { padding: 1, bias: false }),
    new BatchNorm2d(32),
    new ReLU(),
    new GlobalAvgPool(),
  )
  head: Linear

  constructor(numClasses: number) {
    super()
    this.head = new Linear(32, numClasses)
  }

  forward(images: Tensor): Tensor {
    return this.head(this.body(images))
  }
}

async function train(model: Module, source: data.DataSource, batchSize: number, epochs: number): Promise<number> {
  const optimizer = optim.adamw({ lr: 0.01 })
  await using trainer = new Trainer(model, { data: source, batchSize, epochs, optimizer, schedule: optim.cosine(), seed: 1 })
  for await (const event of trainer.fit()) if (event.type === 'end') return event.test!.accuracy!
  throw new Error('the training did not end')
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`

// Train on ten classes, and save.
const source = await data.open('fashion-mnist-sample')
const folder = await mkdtemp(join(tmpdir(), 'fine-tune-'))
const file = join(folder, 'ten_classes.safetensors')
const first = initialize(new Net(10), 1)
console.log(`ten classes: test accuracy ${percent(await train(first, source, 64, 3))}`)
await saveWeights(first, file)

// The new task: few images, other classes. The pixels are normalised as those were that the body knows.
const groupNames = ['top or dress', 'trousers', 'shoe', 'bag']
const groupOf = [0, 1, 0, 0, 0, 2, 0, 2, 3, 2] // of each class
const { train: many, test, mean, std } = source
const imageBytes = many.images.length / many.size
const picked = Array.from({ length: 200 }, (_, i) => (i * many.size) / 200)
const few = data.fromArrays({
  images: Uint8Array.from(picked.flatMap(i => Array.from(many.images.subarray(i * imageBytes, (i + 1) * imageBytes)))),
  labels: picked.map(i => groupOf[many.labels[i]!]!),
  shape: many.shape,
  classNames: groupNames,
  test: { images: test.images, labels: test.labels.map(label => groupOf[label]!) },
  mean,
  std,
})

// Another head, the same body: what fits is loaded, the report says what does not.
const tuned = initialize(new Net(groupNames.length), 2)
const report = await loadWeights(tuned, file, { strict: false })
console.log(`loaded ${report.loaded.length} tensors; new: ${report.mismatched.map(({ name }) => name).join(', ')}`)
await rm(folder, { recursive: true })

tuned.body.freeze()
const trained = tuned.parameters().filter(({ trainable }) => trainable)
console.log(`trained: ${trained.reduce((count, { size }) => count + size, 0)} of ${tuned.parameterCount()} weights`)
console.log(`four groups: test accuracy ${percent(await train(tuned, few, 20, 10))}`)

const known = first.stateDict()
const same = Array.from(tuned.body.namedParameters()).every(([name, { data }]) =>
  data.every((value, i) => value === known.get(`body.${name}`)!.data[i]),
)
console.log(`the body's weights and statistics are ${same ? 'the same as before' : 'changed'}`)

const untrained = initialize(new Net(groupNames.length), 2)
untrained.body.freeze()
console.log(`four groups, on a body that was never trained: test accuracy ${percent(await train(untrained, few, 20, 10))}`)
