import { expect, test } from 'vitest'
import * as f from '../../src/graph/functions.js'
import { Parameter } from '../../src/graph/parameter.js'
import { f32, type Tensor } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import * as models from '../../src/models/index.js'
import * as nn from '../../src/nn/index.js'
import { InvalidArgument } from '../../src/runtime/errors.js'

/** Runs `body` as the forward of the layer 'block.0'. */
class Net extends nn.Module {
  block = new nn.Sequential()
  constructor(body: (...xs: Tensor[]) => Tensor) {
    super()
    class Inner extends nn.Module {
      forward(...xs: Tensor[]): Tensor {
        return body(...xs)
      }
    }
    this.block = new nn.Sequential(new Inner())
  }
  forward(...xs: Tensor[]): Tensor {
    return (this.block[0] as Net)(...xs)
  }
}

const x = [2, 8, 8, 4]
test.each<[string, (...xs: Tensor[]) => Tensor, number[][], RegExp]>([
  ['channels', t => f.conv2d(t, new Parameter([8, 3, 3, 3], 'weight')), [x], /has 4 channels, but the filter is made for 3/],
  ['groups', t => f.conv2d(t, new Parameter([8, 3, 3, 2], 'weight'), { groups: 3 }), [x], /not divisible by 3 groups/],
  ['window', t => f.maxPool2d(t, { kernel: 9 }), [x], /window 9x9 .* does not fit into the image 8x8/],
  ['stride', t => f.maxPool2d(t, { kernel: 2, stride: 0 }), [x], /stride must be an integer of at least 1/],
  ['padding', t => f.avgPool2d(t, { kernel: 2, padding: -1 }), [x], /padding must be an integer of at least 0/],
  ['rank', t => f.globalAvgPool(t), [[2, 4]], /must be \[N, H, W, C\]/],
  ['add of other shapes', (a, b) => f.add(a, b), [x, [2, 4, 4, 4]], /\(pointwise\).*\[2, 8, 8, 4\].*\[2, 4, 4, 4\]/],
  ['add of other ranks', (a, b) => f.add(a, b), [x, [2, 4]], /\(add\).*shapes differ/],
  ['concat', (a, b) => f.concat([a, b]), [x, [2, 4, 8, 4]], /\(concat\).*does not fit.*along axis 3/],
  ['concat of nothing', () => f.concat([]), [x], /needs at least one input/],
  ['slice', t => f.slice(t, [0, 0, 0, 3], [2, 8, 8, 2]), [x], /\(slice\).*do not fit/],
  ['reshape', t => f.reshape(t, [2, 3, -1]), [[2, 8]], /\[2, 8\] cannot become \[2, 3, -1\]/],
  ['linear', t => f.linear(t, new Parameter([10, 4], 'weight')), [x], /must be \[N, 4\].*put Flatten or GlobalAvgPool/],
  ['shortcutA', t => f.shortcutA(t, 2, 2), [x], /C <= 2/],
  ['reduce', t => f.sum(t, [4]), [x], /axis 4 does not exist/],
  ['scaleSamples', (a, b) => f.scaleSamples(a, b), [x, [3]], /scale must have shape \[2\]/],
])('%s: the message names the layer', (_, body, shapes, message) => {
  const model = new Net(body)
  const trace = new Trace(true)
  const call = () => withTrace(trace, () => model(...shapes.map((shape, i) => trace.input(`x${i}`, f32(shape)))))
  expect(call).toThrow(InvalidArgument)
  expect(call).toThrow(/^block\.0/)
  expect(call).toThrow(message)
})

test('batch norm in training needs more than one value a channel', () => {
  const bn = new nn.Sequential(new nn.GlobalAvgPool(), new nn.BatchNorm2d(4))
  const run = (n: number, training: boolean) => {
    const trace = new Trace(training)
    return withTrace(trace, () => bn(trace.input('x', f32([n, 2, 2, 4]))))
  }
  expect(() => run(1, true)).toThrow(/^1 \(batchNorm\): batch norm in training needs more than one value a channel.*larger batch/)
  expect(run(1, false).shape).toEqual([1, 4])
  expect(run(2, true).shape).toEqual([2, 4])
})

test('an unknown peek name lists near ones', () => {
  const trace = new Trace(false)
  withTrace(trace, () => models.create('resnet20')(trace.input('x', f32([1, 8, 8, 3]))))
  expect(() => trace.lookup('layer1.0.bn3')).toThrow(
    /no layer is called 'layer1.0.bn3'. Did you mean 'layer1.0.bn1' or 'layer1.0.bn2'/,
  )
})

test('tensor functions and layers work only in a trace', () => {
  const trace = new Trace(false)
  const t = trace.input('x', f32([1, 8, 8, 3]))
  expect(() => f.relu(t)).toThrow(/only while a model is traced/)
  expect(() => new nn.ReLU()(t)).toThrow(/compile\(model, …\) or Trainer/)
})
