/** What happens inside a network: the norm of the gradient in each basic module, and the share of active units at each ReLU. */
import { noAugment, type DataSource } from '../data/dataset.js'
import { normalised } from '../data/normalise.js'
import type { Parameter } from '../graph/parameter.js'
import { compile } from '../graph/session.js'
import type { Classifier } from '../models/classifier.js'
import { BasicModule } from '../nn/basic_module.js'
import { ReLU } from '../nn/layers/relu.js'
import { sgd } from '../optim/index.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { CompiledTraining } from '../train/compiled_training.js'
import { ResidentFeed } from '../train/feed.js'

/** A value of a layer. */
export interface LayerValue {
  /** 'layer1.0' */
  readonly layer: string
  /** Its place: of a basic module among all, of a ReLU among all, erased or not; from 1. */
  readonly place: number
  readonly value: number
}

export interface LayerOptions {
  readonly batchSize: number
  readonly device: string
}

/** How many batches are looked at. */
export const layerBatches = 4

/**
 * The gradient of the cross-entropy in each basic module: the L2 norm over the module's parameters, averaged over a few batches
 * of training images without augmentation. Batch norms use the batch's statistics, as in training. The model stays as it is.
 */
export async function gradientNorms(
  model: Classifier,
  data: DataSource,
  { batchSize, device }: LayerOptions,
): Promise<LayerValue[]> {
  model.assignNames()
  const layout = new StoreLayout<Parameter>(model.parameters())
  const plain = { ...data, augment: noAugment }
  const train = new ResidentFeed(plain, data.train, { batchSize, seed: 0, training: true, dropLast: true })
  const { numClasses } = data.train
  const common = {
    checked: false,
    loss: undefined,
    labelSmoothing: 0,
    ema: undefined,
    accumulate: 1,
    clipGradNorm: 0,
  }
  // After one step from nothing, SGD's velocity is the gradient.
  const optimizer = sgd({ lr: 1, momentum: 0.5 })
  const feeds = { train, test: undefined }
  const training = await CompiledTraining.create(feeds, { model, layout, device, numClasses, optimizer, ...common })
  const modules = [...model.namedModules()].filter(([, module]) => module instanceof BasicModule)
  const sums = modules.map(() => 0)
  let seen = 0
  try {
    const learningRates = training.grouping.groups.map(() => 0)
    for await (const { arrays } of train.batches(0)) {
      await training.store.write('velocity', 0, new Float32Array(layout.trainedSize))
      await training.step(training.stage([arrays]), { seed: 0, step: 0, learningRates })
      const gradient = await training.store.read('velocity')
      modules.forEach(([, module], i) => (sums[i]! += norm(module.parameters(), gradient, layout)))
      if (++seen === layerBatches) break
    }
  } finally {
    await training.dispose()
  }
  return modules.map(([layer], i) => ({ layer, place: i + 1, value: sums[i]! / seen }))
}

function norm(parameters: readonly Parameter[], gradient: Float32Array, layout: StoreLayout<Parameter>): number {
  let squares = 0
  for (const parameter of parameters) {
    if (!parameter.trainable) continue
    const offset = layout.offsetOf(parameter)
    for (let i = offset; i < offset + parameter.size; i++) squares += gradient[i]! ** 2
  }
  return Math.sqrt(squares)
}

/** The share of positive outputs, 0 to 1, of each ReLU that is not erased, over a few batches of test images (running statistics). */
export async function activeShares(
  model: Classifier,
  data: DataSource,
  { batchSize, device }: LayerOptions,
): Promise<LayerValue[]> {
  const all = [...model.namedModules()].filter(([, module]) => module instanceof ReLU)
  const kept = all.flatMap(([layer, module], i) => (module instanceof ReLU && !module.erased ? [{ layer, place: i + 1 }] : []))
  const { shape, images, size } = data.test
  const count = Math.min(batchSize, size)
  const bytes = shape[0] * shape[1] * shape[2]
  const inputs = { images: { shape: [count, ...shape] } }
  using session = await compile(model, { inputs, device, peek: kept.map(({ layer }) => layer) })
  const positive = kept.map(() => 0)
  const total = kept.map(() => 0)
  for (let batch = 0; batch < layerBatches && (batch + 1) * count <= size; batch++) {
    const pixels = images.subarray(batch * count * bytes, (batch + 1) * count * bytes)
    const outputs = await session.run({ images: normalised(pixels, data) })
    kept.forEach(({ layer }, i) => {
      const values = outputs[layer]!.data as Float32Array
      positive[i]! += values.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0)
      total[i]! += values.length
    })
  }
  return kept.map((layer, i) => ({ ...layer, value: positive[i]! / total[i]! }))
}
