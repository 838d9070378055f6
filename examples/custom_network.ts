/**
 * A network of your own, with a basic module that EraseReLU understands: two branches, as in Inception, so two chains of
 * ReLUs. Erases the last ReLU of each chain, prints the report, and trains both variants from the same weights.
 *
 *     npx tsx examples/custom_network.ts
 */
import {
  add, BasicModule, BatchNorm2d, concat, Conv2d, data, eraseReLU, GlobalAvgPool, initialize, Linear, MaxPool2d, Module, optim, ReLU,
  Sequential, Trainer, type Tensor,
} from 'eraserelu' // prettier-ignore

/** Convolution and batch norm, without the ReLU: the block says where those are. */
const convNorm = (from: number, to: number, kernel: number, stride = 1) =>
  new Sequential(new Conv2d(from, to, kernel, { stride, padding: (kernel - 1) / 2, bias: false }), new BatchNorm2d(to))

/** A 3x3 branch and a deeper 1x1-3x3-3x3 branch side by side, and a shortcut around both. The shape stays: [N, H, W, channels]. */
class TwoBranches extends BasicModule {
  narrow: Sequential
  narrowRelu = new ReLU()
  deep1: Sequential
  deepRelu1 = new ReLU()
  deep2: Sequential
  deepRelu2 = new ReLU()
  merge: Sequential
  mergeRelu = new ReLU()

  constructor(channels: number) {
    super()
    const half = channels / 2
    this.narrow = convNorm(channels, half, 3)
    this.deep1 = convNorm(channels, half, 1)
    this.deep2 = convNorm(half, half, 3)
    this.merge = convNorm(channels, channels, 1)
  }

  /** What eraseReLU counts in: the ReLUs of each branch in order. `mergeRelu` stands in no chain, so it is never erased. */
  chains(): ReLU[][] {
    return [[this.narrowRelu], [this.deepRelu1, this.deepRelu2]]
  }

  forward(x: Tensor): Tensor {
    const narrow = this.narrowRelu(this.narrow(x))
    const deep = this.deepRelu2(this.deep2(this.deepRelu1(this.deep1(x))))
    return this.mergeRelu(add(this.merge(concat([narrow, deep])), x))
  }
}

class SmallNet extends Module {
  stem = convNorm(1, 32, 3, 2)
  stemRelu = new ReLU()
  shrink = new MaxPool2d(2)
  blocks = [new TwoBranches(32), new TwoBranches(32)]
  pool = new GlobalAvgPool()
  classify = new Linear(32, 10)

  forward(images: Tensor): Tensor {
    const features = this.shrink(this.stemRelu(this.stem(images)))
    return this.classify(this.pool(this.blocks.reduce((x, block) => block(x), features)))
  }
}

const source = await data.open('fashion-mnist-sample')

async function train(proportion: number): Promise<void> {
  const model = initialize(new SmallNet(), 1) // the same weights, whatever is erased
  const report = eraseReLU(model, { location: 'last', proportion })
  if (proportion > 0) console.log(report.toString())
  await using trainer = new Trainer(model, {
    data: source,
    batchSize: 100,
    epochs: 2,
    seed: 1,
    optimizer: optim.sgd({ lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    schedule: optim.cosine(),
  })
  for await (const event of trainer.fit()) {
    if (event.type !== 'end') continue
    const { erased, total } = report.counts
    console.log(`${erased} of ${total} ReLUs erased: test accuracy ${(100 * event.test!.accuracy!).toFixed(1)} %`)
  }
}

await train(0)
await train(1)
