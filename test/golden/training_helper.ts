/** ResNet-20 with the golden weights, trained step by step through the trainer's own plan. */
import { eraseReLU } from '../../src/erase.js'
import type { Precision } from '../../src/graph/precision.js'
import { f32 } from '../../src/graph/tensor.js'
import { currentTrace } from '../../src/graph/trace.js'
import { CifarResNet } from '../../src/models/resnet_cifar.js'
import { sgd } from '../../src/optim/index.js'
import { Plan } from '../../src/runtime/plan.js'
import { state, Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import type { Feed } from '../../src/train/feed.js'
import { arenasFor, trainingPlan } from '../../src/train/training_plan.js'
import type { GoldenFile } from './golden_file.js'

export interface TorchOptimizer {
  readonly lr: number
  readonly momentum: number
  readonly nesterov: boolean
  readonly weight_decay: number
}

/** The published network ('baseline') or the one without the last ReLU of its blocks ('erased'). */
export function resnet20(weights: GoldenFile, arm: string): CifarResNet {
  const model = new CifarResNet(20)
  eraseReLU(model, { location: 'last', proportion: arm === 'erased' ? 1 : 0 })
  model.assignNames()
  for (const parameter of model.parameters()) parameter.data.set(weights.tensor(`initial/${parameter.name}`).data)
  return model
}

export class Training {
  private constructor(
    private readonly plan: Plan,
    private readonly store: Store,
    private readonly learningRate: number,
    /** Where each parameter lies in the store. */
    readonly layout: StoreLayout<ReturnType<CifarResNet['parameters']>[number]>,
  ) {}

  static async create(
    device: string,
    model: CifarResNet,
    torch: TorchOptimizer,
    batch: readonly number[],
    { precision = 'f32', lossScale = 1 }: { precision?: Precision; lossScale?: number } = {},
  ): Promise<Training> {
    const { lr, momentum, nesterov, weight_decay: weightDecay } = torch
    const optimizer = sgd({ lr, momentum, nesterov, weightDecay })
    const layout = new StoreLayout(model.parameters())
    const options = { model, layout, device, precision, optimizer, numClasses: 10, loss: undefined, labelSmoothing: 0, ema: undefined }
    const { desc } = trainingPlan(feedOf(batch), { ...options, checked: false, accumulate: 1, clipGradNorm: 0 })
    const store = await Store.create(device, arenasFor(layout, optimizer, undefined))
    for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
    await store.write('state', state.lossScale, new Float32Array([lossScale]))
    return new Training(await Plan.create(desc, store), store, lr, layout)
  }

  async step(images: Float32Array, labels: Int32Array): Promise<{ loss: number; gradientNorm: number }> {
    const { outputs } = await this.plan.run([{ images, labels }], { learningRates: [this.learningRate] })
    return { loss: outputs.loss!.data[0]!, gradientNorm: outputs.state!.data[state.norm]! }
  }

  weights(): Promise<Float32Array> {
    return this.store.read('weights')
  }

  [Symbol.dispose](): void {
    this.plan.dispose()
    this.store.dispose()
  }
}

/** Normalised images and labels, as they are. */
function feedOf(shape: readonly number[]): Feed {
  return {
    batchesPerEpoch: 1,
    trace: () => ({
      images: currentTrace().input('images', f32(shape)),
      labels: currentTrace().input('labels', { dtype: 'i32', shape: [shape[0]!] }),
    }),
    prepare: () => Promise.resolve(),
    batches: () => {
      throw new Error('the test hands its batches to step() itself')
    },
  }
}
