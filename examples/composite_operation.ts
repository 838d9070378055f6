/**
 * Operations of your own, composed of the package's tensor functions: swish, and squeeze-and-excite. They are plain functions
 * over tensors; their gradients come by themselves. Checks swish against arithmetic, then trains a network that uses both.
 *
 *     npx tsx examples/composite_operation.ts
 */
import {
  BatchNorm2d, compile, Conv2d, data, globalAvgPool, GlobalAvgPool, init, initialize, Linear, linear, Module, mul, optim, parameter, relu,
  reshape, Sequential, sigmoid, Trainer, type Operand, type Tensor,
} from 'eraserelu' // prettier-ignore

/** x · sigmoid(x) (Ramachandran et al. 2017). */
const swish = (x: Tensor): Tensor => mul(x, sigmoid(x))

/** Weighs the channels of x [N, H, W, C] by what the whole image holds (Hu et al. 2018): C to `squeeze` to C, each weight 0…1. */
function squeezeExcite(x: Tensor, squeeze: Operand, excite: Operand): Tensor {
  const [n, , , channels] = x.shape as [number, number, number, number]
  const weights = sigmoid(linear(relu(linear(globalAvgPool(x), squeeze)), excite))
  return mul(x, reshape(weights, [n, 1, 1, channels]))
}

/** A layer gives an operation its parameters; their names follow from the fields: '3.squeeze'. */
class SqueezeExcite extends Module {
  readonly squeeze
  readonly excite

  constructor(channels: number, reduced: number) {
    super()
    this.squeeze = parameter([reduced, channels], 'weight', init.kaimingUniform)
    this.excite = parameter([channels, reduced], 'weight', init.kaimingUniform)
  }

  forward(x: Tensor): Tensor {
    return squeezeExcite(x, this.squeeze, this.excite)
  }
}

class Swish extends Module {
  forward(x: Tensor): Tensor {
    return swish(x)
  }
}

using session = await compile(new Swish(), { inputs: { x: { shape: [3] } } })
const { output } = await session.run({ x: Float32Array.of(-1, 0, 2) })
const expected = [-1, 0, 2].map(x => x / (1 + Math.exp(-x)))
console.log(`swish of -1, 0, 2: ${Array.from(output!.data, y => y.toFixed(5)).join(', ')}`)
console.log(`in arithmetic:     ${expected.map(y => y.toFixed(5)).join(', ')}`)

const block = (from: number, to: number, stride: number) => [
  new Conv2d(from, to, 3, { stride, padding: 1, bias: false }),
  new BatchNorm2d(to),
  new Swish(),
  new SqueezeExcite(to, to / 4),
]
const model = initialize(new Sequential(...block(1, 16, 2), ...block(16, 32, 2), new GlobalAvgPool(), new Linear(32, 10)), 1)
const before = model.stateDict().get('3.squeeze')!.data.slice()

await using trainer = new Trainer(model, {
  data: await data.open('fashion-mnist-sample'),
  batchSize: 64,
  epochs: 3,
  seed: 1,
  optimizer: optim.adamw({ lr: 0.01 }),
  schedule: optim.cosine(),
})
for await (const event of trainer.fit()) {
  if (event.type !== 'epoch') continue
  const { train, test } = event
  console.log(`epoch ${event.epoch}: loss ${train.loss.toFixed(3)}, test accuracy ${(100 * test!.accuracy!).toFixed(1)} %`)
}
const after = model.stateDict().get('3.squeeze')!.data
console.log(`the squeeze weights moved by up to ${Math.max(...after.map((value, i) => Math.abs(value - before[i]!))).toFixed(3)}`)
