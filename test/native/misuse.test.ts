/** Wrong calls of every public function: each throws its documented class, and the message says what is wrong and what would work. */
import { describe, expect, test } from 'vitest'
import * as er from '../../src/index.js'
import { Plain, pictures, source } from '../train/training.js'
import { testedDevices } from './helpers.js'

const { InvalidArgument } = er
const shape = [16, 16, 3] as const
const data = source(32)
const sgd = er.optim.sgd({ lr: 0.1 })
const options: er.TrainerOptions = { data, batchSize: 8, epochs: 1, optimizer: sgd }
/** Of any type, as from JavaScript. */
const wrong = (value: unknown) => value as never
const scores = { shape: [2, 3], data: new Float32Array(6) }

type Case = [what: string, call: () => unknown, message: RegExp, kind?: new (...args: never[]) => Error]

/** Calls may throw or reject. */
function refused(cases: Case[], kind: new (...args: never[]) => Error = InvalidArgument) {
  test.each(cases)('%s', async (_, call, message, own = kind) => {
    const error: unknown = await Promise.resolve()
      .then(call)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      )
    expect(error).toBeInstanceOf(own)
    expect((error as Error).message).toMatch(message)
  })
}

describe('compile', () => {
  const model = new Plain()
  const x = { shape: [1, ...shape] }
  const conv = new er.Conv2d(4, 8, 3)
  class Named extends er.Module {
    output = new er.ReLU()
    forward(t: er.Tensor): er.Tensor {
      return this.output(t)
    }
  }
  class Forgetful extends er.Module {
    forward(): er.Tensor {
      return wrong(undefined)
    }
  }
  refused([
    ['no model', () => er.compile(wrong({}), { inputs: { x } }), /model must be a Module/],
    ['no options', () => er.compile(model, wrong(undefined)), /compile: expected an object with options \(inputs, device/],
    ['no inputs', () => er.compile(model, wrong({})), /inputs must name the inputs of forward/],
    ['unknown option', () => er.compile(model, { inputs: { x }, ...{ disablePasses: [] } }), /unknown option 'disablePasses'. Did you mean 'disabledPasses'/],
    ['unknown device', () => er.compile(model, { inputs: { x }, device: 'cpus' }), /no device 'cpus'.*Did you mean 'cpu'/],
    ['unknown peek', () => er.compile(model, { inputs: { x }, peek: ['features.9'] }), /no layer is called 'features.9'. Did you mean 'features.\d'/],
    ["peek of a layer called 'output'", () => er.compile(new Named(), { inputs: { x }, peek: ['output'] }), /a layer called 'output' cannot be peeked.*rename the layer/],
    ['peek of one name', () => er.compile(model, { inputs: { x }, peek: wrong('features.0') }), /peek must be a list/],
    ['a pass', () => er.compile(model, { inputs: { x }, disabledPasses: wrong(['tiel']) }), /each of disabledPasses must be one of .*, got 'tiel'. Did you mean 'tile'/],
    ['deterministic', () => er.compile(model, { inputs: { x }, deterministic: wrong('no') }), /compile: deterministic must be true or false/],
    ['workspaceLimit', () => er.compile(model, { inputs: { x }, workspaceLimit: -1 }), /workspaceLimit must be an integer of at least 0/],
    ['shape', () => er.compile(model, { inputs: { x: { shape: [0, 16, 16, 3] } } }), /input 'x': the shape must be a list of positive/],
    ['shape missing', () => er.compile(model, { inputs: { x: wrong({}) } }), /input 'x': the shape must be a list/],
    ['shape in place of type', () => er.compile(model, { inputs: { x: wrong([1, 16, 16, 3]) } }), /input 'x': unknown option '0'/],
    ['dtype', () => er.compile(model, { inputs: { x: { ...x, dtype: wrong('float32') } } }), /dtype must be one of f32, i32, u8, got 'float32'/],
    ['channels', () => er.compile(model, { inputs: { x: { shape: [1, 16, 16, 4] } } }), /^features\.0 \(conv2d\): the input has 4 channels.* 3$/],
    ['rank', () => er.compile(model, { inputs: { x: { shape: [16, 16, 3] } } }), /^features\.0 \(conv2d\): x must be \[N, H, W, C\]/],
    ['too small', () => er.compile(model, { inputs: { x: { shape: [1, 4, 4, 3] } } }), /^features\.3 \(conv2d\): the window 3x3 .*does not fit.*2x2/],
    ['integer images', () => er.compile(model, { inputs: { x: { ...x, dtype: 'u8' } } }), /features\.0.*u8/],
    ['a layer no field leads to', () => er.compile(new (class extends Plain { override forward(t: er.Tensor) { return conv(t) } })(), { inputs: { x } }), /no field of the model leads to/],
    ['forward without return', () => er.compile(new Forgetful(), { inputs: { x } }), /forward must return a Tensor, got undefined/],
  ]) // prettier-ignore
})

describe('Session.run', async () => {
  const session = await er.compile(new Plain(), { inputs: { x: { shape: [2, ...shape] } } })
  const x = new Float32Array(2 * 768)
  refused([
    ['nothing', () => session.run(wrong(undefined)), /expected an object with the inputs x/],
    ['missing input', () => session.run({}), /input 'x' is missing: give a Float32Array of shape \[2, 16, 16, 3\]/],
    ['unknown input', () => session.run({ x, y: x }), /no input 'y': inputs are x/],
    ['near input', () => session.run({ X: x }), /no input 'X'.*Did you mean 'x'/],
    ['length', () => session.run({ x: x.subarray(1) }), /'x' must have 1536 elements \(shape \[2, 16, 16, 3\]\), got 1535/],
    ['bytes for floats', () => session.run({ x: new Uint8Array(1536) }), /'x' must be a Float32Array, got Uint8Array/],
    ['doubles', () => session.run({ x: wrong(new Float64Array(1536)) }), /'x' must be a Float32Array, got Float64Array/],
    ['a list', () => session.run({ x: wrong(Array(1536).fill(0)) }), /'x' must be a Float32Array, got Array/],
    ['null', () => session.run({ x: wrong(null) }), /'x' must be a Float32Array, got null/],
    ['signal', () => session.run({ x }, { signal: wrong({}) }), /signal must be an AbortSignal/],
  ])
})

describe('run', () => {
  const x = { shape: [1, 2, 2, 1], data: new Float32Array(4) }
  const flat = (size: number) => ({ shape: [size], data: new Float32Array(size) })
  /** Layers of 4 and 2 channels; right but for what is given. */
  const running = (given: object) =>
    er.run(
      'bnRunningUpdate',
      { statistics: flat(12), state: flat(16), running: flat(16) },
      { ranges: [0, 0, 4, 4, 8, 8, 10, 2], momentum: [0.1, 0.1], count: [2, 2], ...given },
    )
  refused([
    ['unknown operation', () => er.run(wrong('reluu'), { x }), /unknown operation 'reluu'. Did you mean 'relu'/],
    ['no operation', () => er.run(wrong(undefined), { x }), /unknown operation 'undefined'/],
    ['missing operand', () => er.run('relu', {}), /relu: the operand 'x' is missing/],
    ['unknown operand', () => er.run('relu', { x, y: x }), /relu reads no 'y': it reads x/],
    ['missing attribute', () => er.run('dropout', { x }, { p: 0.5 }), /dropout: the attribute 'opId' is missing/],
    ['unknown attribute', () => er.run('relu', { x }, { slope: 1 }), /relu has no attribute 'slope': it has none/],
    ['attribute type', () => er.run('dropout', { x }, { p: 'half', opId: 0 }), /'p' must be a number/],
    ['elements', () => er.run('relu', { x: { shape: [5], data: x.data } }), /'x' has 4 elements, but its shape is \[5\]/],
    ['array type', () => er.run('relu', { x: { shape: [4], data: wrong(new Float64Array(4)) } }), /Float32Array, Int32Array, Uint8Array or Uint16Array, got Float64Array/],
    ['dtype', () => er.run('relu', { x: { shape: [4], data: new Int32Array(4) } }), /relu: \[4\]i32 -> \[4\]f32: x must be f32, bf16 or f16, not i32/],
    ['codes of no type', () => er.run('relu', { x: { shape: [4], data: new Uint16Array(4) } }), /relu: 'x', a Uint16Array: dtype must be one of bf16, f16, got undefined/],
    ['a type of other data', () => er.run('relu', { x: { ...x, dtype: 'f16' } }), /relu: 'x' is a Float32Array and cannot be f16: give its codes in a Uint16Array/],
    ['two types', () => er.run('add', { a: x, b: { shape: x.shape, data: new Uint16Array(4), dtype: 'bf16' } }), /add.*: b must have the type of a, f32, not bf16: cast one of them/],
    ['a bias of 16 bits', () => er.run('conv2d', { x, w: { shape: [1, 1, 1, 1], data: new Float32Array(1) }, bias: { shape: [1], data: new Uint16Array(1), dtype: 'f16' } }, { stride: [1, 1], pad: [0, 0, 0, 0], dilation: [1, 1], groups: 1, activation: 'identity' }), /conv2d.*: bias must be f32, not f16, whatever the type of the other operands: cast it/],
    ['f16 on the CPU', () => er.run('relu', { x: { shape: [4], data: new Uint16Array(4), dtype: 'f16' } }, {}, { device: 'cpu' }), /relu.*: device 'cpu' does not compute in f16; use f32/, er.Unsupported],
    ['shapes', () => er.run('add', { a: x, b: scores }), /add.*shapes differ/],
    ['labels', () => er.run('softmaxCrossEntropy', { logits: scores, labels: { shape: [2], data: new Float32Array(2) } }, { labelSmoothing: 0 }), /labels must be i32, not f32/],
    ['outputs unknown', () => er.run('conv2dBwdData', { dy: x, w: x }, { stride: [1, 1], pad: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }), /conv2dBwdData: the shapes of its outputs do not follow/],
    ['option', () => er.run('relu', { x }, {}, wrong({ chunks: 1 })), /unknown option 'chunks'. Did you mean 'chunk'/],
    ['device', () => er.run('relu', { x }, {}, { device: 'gpu' }), /no device 'gpu'/],
    ['chunk, a fraction', () => er.run('relu', { x }, {}, { chunk: 0.5 }), /run: chunk must be an integer of at least 1, got 0.5/],
    ['chunk, endless', () => er.run('relu', { x }, {}, { chunk: Infinity }), /chunk must be an integer of at least 1, got Infinity/],
    ['chunk 0', () => er.run('relu', { x }, {}, { chunk: 0 }), /chunk must be an integer of at least 1, got 0/],
    ['chunk of a whole operation', () => er.run('cast', { x }, {}, { chunk: 1, outputs: { y: { shape: [4], dtype: 'i32' } } }), /run: cast works on the whole batch at once and cannot run in chunks/],
    ['seed', () => er.run('relu', { x }, {}, { seed: 1.5 }), /seed must be an integer from 0 to \d+, got 1.5/],
    ['step', () => er.run('relu', { x }, {}, { step: -1 }), /run: step must be an integer of at least 0, got -1/],
    ['learningRates', () => er.run('relu', { x }, {}, { learningRates: wrong(['a']) }), /run: learningRates\[0\] must be a number that is finite, got 'a'/],
    ['learning rate NaN', () => er.run('relu', { x }, {}, { learningRates: [0.1, NaN] }), /run: learningRates\[1\] must be a number that is finite, got NaN/],
    ['learningRates, a number', () => er.run('relu', { x }, {}, { learningRates: wrong(0.1) }), /run: learningRates must be a list of numbers, got 0.1/],
    ['running statistics that two layers share', () => running({ ranges: [0, 0, 4, 4, 8, 6, 12, 2] }), /bnRunningUpdate.*element 6 of running belongs to two statistics/],
    ['running statistics outside', () => running({ ranges: [0, 0, 13, 4, 8, 8, 10, 2] }), /bnRunningUpdate.*running 13\+4 is outside of 16 elements/],
    ['statistics outside', () => running({ ranges: [0, 0, 4, 4, 9, 8, 10, 2] }), /statistics 9\+4 is outside of 12 elements/],
    ['ranges that are no quadruples', () => running({ ranges: [0, 0, 4] }), /ranges must hold four numbers a layer, momentum and count one each; they hold 3, 2 and 2/],
    ['running statistics of one value', () => running({ count: [2, 1] }), /more than 1 value a channel/],
    ['momentum', () => running({ momentum: [0.1, 2] }), /momentum must be in \[0,1\], got 2/],
    ['inputs null', () => er.run('relu', wrong(null)), /relu: the inputs must be an object of tensors \{ shape, data \} by name, got null/],
    ['input null', () => er.run('relu', { x: wrong(null) }), /relu: 'x' must be an object \{ shape, data \}, got null/],
    ['input without shape', () => er.run('relu', { x: wrong({ data: x.data }) }), /relu: 'x': the shape must be a list of positive integers/],
    ['no inputs to concat', () => er.run('concat', {}, { axis: 0 }), /concat needs at least one input/],
    ['attributes null', () => er.run('relu', { x }, wrong(null)), /relu: the attributes must be an object of values by name, got null/],
    ['attribute undefined', () => er.run('dropout', { x }, { p: wrong(undefined), opId: 0 }), /dropout: the attribute 'p' must be a number, a string or a list of numbers, got undefined/],
    ['outputs, unknown name', () => er.run('maxPool', { x }, { kernel: [2, 2], stride: [2, 2], pad: [0, 0, 0, 0] }, { outputs: { argmx: { shape: [1, 1, 1, 1] } } }), /maxPool writes no 'argmx': it writes y argmax\?. Did you mean 'argmax'/],
    ['outputs null', () => er.run('relu', { x }, {}, { outputs: wrong(null) }), /relu: outputs must be an object of types/],
    ['outputs, no type', () => er.run('relu', { x }, {}, { outputs: { y: wrong(null) } }), /relu: the output 'y': expected an object with options \(shape, dtype\), got null/],
    ['outputs, dtype', () => er.run('relu', { x }, {}, { outputs: { y: { shape: [4], dtype: wrong('float') } } }), /relu: the output 'y': dtype must be one of f32, i32, u8, bf16, f16, got 'float'/],
    ['outputs, in place', () => er.run('sum', { x, total: x }, {}, { outputs: { total: { shape: [8] } } }), /sum updates 'total' in place, .*leave 'total' out of outputs/],
  ]) // prettier-ignore
})

describe('Trainer', () => {
  const trainer = (given: object, model: er.Module = new Plain()) => new er.Trainer(model, { ...options, ...given })
  refused([
    ['no options', () => new er.Trainer(new Plain(), wrong(undefined)), /Trainer: expected an object with options/],
    ['no model', () => new er.Trainer(wrong({}), options), /model must be a Module/],
    ['unknown option', () => trainer({ epoch: 3 }), /unknown option 'epoch'. Did you mean 'epochs'/],
    ['data', () => trainer({ data: null }), /data must come from data.open, data.imageFolder, data.imageNet, data.fromArrays or data.fromBatches/],
    ['data, not opened', () => trainer({ data: 'fashion-mnist' }), /data must come from data.open/],
    ['data, not awaited', () => trainer({ data: er.data.open('fashion-mnist-sample') }), /data must come from/],
    ['optimizer', () => trainer({ optimizer: undefined }), /optimizer must come from optim.sgd or optim.adamw/],
    ['optimizer name', () => trainer({ optimizer: 'sgd' }), /optimizer must come from/],
    ['batchSize', () => trainer({ batchSize: 0 }), /batchSize must be an integer of at least 1, got 0/],
    ['batchSize larger than the data', () => trainer({ batchSize: 33 }), /batchSize 33 is larger than the 32 images/],
    ['epochs', () => trainer({ epochs: 1.5 }), /epochs must be an integer of at least 1, got 1.5/],
    ['seed', () => trainer({ seed: -1 }), /seed must be an integer of at least 0/],
    ['schedule', () => trainer({ schedule: 0.1 }), /schedule must be a function such as optim.cosine\(\)/],
    ['loss', () => trainer({ loss: 'mse' }), /loss must be a function \(outputs, batch\) => Tensor/],
    ['labelSmoothing', () => trainer({ labelSmoothing: 1 }), /labelSmoothing must be a number in \[0, 1\), got 1/],
    ['accumulate', () => trainer({ accumulate: 0 }), /accumulate must be an integer of at least 1/],
    ['clipGradNorm', () => trainer({ clipGradNorm: 0 }), /clipGradNorm must be a number above 0/],
    ['ema', () => trainer({ ema: 0.99 }), /ema must come from optim.ema\(decay\)/],
    ['passes', () => trainer({ disabledPasses: 'tile' }), /disabledPasses must be a list of passes: fold-batch-norm, /],
    ['memory', () => trainer({ memory: 'lwo' }), /memory must be one of normal, low, got 'lwo'. Did you mean 'low'/],
    ['memory without its pass', () => trainer({ memory: 'low', disabledPasses: ['recompute'] }), /memory 'low' is the work of the pass 'recompute': do not disable it/],
    ['autotune', () => trainer({ autotune: 1 }), /Trainer: autotune must be true or false/],
    ['evalBatchSize', () => trainer({ evalBatchSize: 0 }), /evalBatchSize must be an integer/],
    ['classes and channels', () => trainer({}, er.models.create('resnet20', { inChannels: 1 })), /resnet20 does not fit the data 'arrays': the model takes 1 channels, the images have 3; the model has 10 classes, the data 4. Use models.create\('resnet20', \{ inChannels: 3, numClasses: 4 \}\)/],
    ['device', () => trainer({ device: 'tpu' }).memory(), /no device 'tpu' in this build: use cpu/],
    ['classes of an own model', () => trainer({}, new Plain(7)).memory(), /returns \[8, 7\], but the data has 4 classes/],
    ['size of an own model', () => trainer({ data: source(8, [8, 8, 3]) }, new Plain(4, 'flatten')).memory(), /^head\.1 \(linear\): the input must be \[N, 288\].*while tracing the model on 'arrays', images 8x8x3/],
    ['loss of another size', () => trainer({ loss: (y: er.Tensor) => y }).memory(), /the loss must be one f32 number, got \[8, 4\]/],
    ['loss without return', () => trainer({ loss: () => undefined }).memory(), /loss must return a Tensor of one number, got undefined/],
    ['one value a channel', () => trainer({ data: source(4), batchSize: 1 }, new er.Sequential(new er.GlobalAvgPool(), new er.BatchNorm2d(3), new er.Linear(3, 4))).memory(), /^1 \(batchNorm\): .*more than one value a channel/],
    ['a group that matches nothing', () => trainer({ optimizer: er.optim.sgd({ lr: 1, groups: [{ match: /layer9/, lr: 2 }] }) }).memory(), /groups\[0\].*decides about no trained parameter/],
    ['evaluate without test images', () => trainer({}).evaluate(), /'arrays' has no test images/],
    ['signal', () => trainer({}).fit({ signal: wrong(true) }).next(), /signal must be an AbortSignal/],
  ]) // prettier-ignore
})

describe('batches', () => {
  const batch = { images: new Uint8Array(8 * 768), labels: new Int32Array(8) }
  const stream = { shape, numClasses: 4, batchesPerEpoch: 1 }
  const fit = (given: object, more: object = {}) => {
    const train = async function* () {
      yield await Promise.resolve({ ...batch, ...given })
    }
    const trainer = new er.Trainer(new Plain(), { ...options, data: er.data.fromBatches({ ...stream, train, ...more }) })
    return trainer.fit().next()
  }
  refused([
    ['no train', () => er.data.fromBatches(wrong({ ...stream })), /train must be a function/],
    ['option', () => fit({}, { classes: 4 }), /unknown option 'classes'. Did you mean 'numClasses'/],
    ['shape', () => fit({}, { shape: [16, 16] }), /shape must be \[height, width, channels\]/],
    ['mean', () => fit({}, { mean: [0] }), /mean must have one number a channel \(3\), got 1/],
    ['imageType', () => fit({}, { imageType: 'f16' }), /imageType must be one of u8, f32/],
    ['image size', () => fit({ images: new Uint8Array(5) }), /'?batches'?: batch 0 of epoch 0: images has 5 values, \[8, 16, 16, 3\] needs 6144/],
    ['image class', () => fit({ images: Array(6144) }), /images must be a Uint8Array \(imageType 'u8'\)/],
    ['floats for bytes', () => fit({ images: new Float32Array(6144) }), /images must be a Uint8Array \(imageType 'u8'\)/],
    ['labels', () => fit({ labels: [1, 2] }), /labels must be an Int32Array of length 8/],
    ['label', () => fit({ labels: new Int32Array(8).fill(4) }), /labels\[0\] is 4; labels are 0 to 3, or −1/],
    ['mix missing', () => fit({}, { mixed: true }), /labels2 and lambda are missing/],
    ['half a mix', () => fit({ labels2: new Int32Array(8) }, { mixed: true }), /labels2 and lambda are missing/],
    ['lambda', () => fit({ labels2: new Int32Array(8), lambda: new Float32Array(8).fill(2) }, { mixed: true }), /lambda must be a Float32Array of 8 numbers from 0 to 1/],
  ]) // prettier-ignore

  test('an epoch with fewer batches than promised', async () => {
    const train = async function* () {
      yield await Promise.resolve(batch)
    }
    const trainer = new er.Trainer(new Plain(), {
      ...options,
      data: er.data.fromBatches({ ...stream, train, batchesPerEpoch: 2 }),
    })
    const steps = trainer.fit()
    expect((await steps.next()).value).toMatchObject({ type: 'step', step: 1, stepsPerEpoch: 2 })
    await expect(steps.next()).rejects.toThrow(/epoch 1 ended after 1 steps, but batchesPerEpoch promises 2/)
    await trainer.dispose()
  })
})

describe('layers, models, data, optimizers', () => {
  const { images, labels } = pictures(4)
  refused([
    ['models.create', () => er.models.create('resnet-20'), /no model is called 'resnet-20'. Did you mean 'resnet20'/],
    ['models.create of nothing', () => er.models.create(wrong(undefined)), /no model is called 'undefined'. Known: bn_inception/],
    ['data.open', () => er.data.open('fashion'), /no data set 'fashion'.*'fashion-mnist'/],
    ['data.open of nothing', () => er.data.open(wrong(undefined)), /no data set 'undefined'. Known: fashion-mnist/],
    ['data.fromArrays without shape', () => er.data.fromArrays({ images, labels }), /shape: \[height, width, channels\]/],
    ['data.fromArrays lengths', () => er.data.fromArrays({ images, labels: [1], shape }), /images has 3072 bytes, but 1 labels with shape \[16, 16, 3\] need 768/],
    ['data.fromArrays option', () => er.data.fromArrays({ images, labels, shape, ...{ labls: [] } }), /unknown option 'labls'. Did you mean 'labels'/],
    ['eraseReLU', () => er.eraseReLU(er.models.create('resnet20'), { proportion: 2 }), /proportion must be a number in \[0, 1\]/],
    ['eraseReLU of nothing', () => er.eraseReLU(wrong({})), /must be a Module/],
    ['optim.sgd', () => er.optim.sgd(wrong({})), /optim.sgd: lr must be a number above 0, got undefined/],
    ['optim.sgd without options', () => er.optim.sgd(wrong(undefined)), /optim.sgd: expected an object with options \(lr, momentum/],
    ['optim.adamw', () => er.optim.adamw({ betas: wrong(0.9) }), /betas must be two numbers/],
    ['optim.ema', () => er.optim.ema(1), /decay must be a number in \[0, 1\)/],
    ['optim.cosine', () => er.optim.cosine(wrong(0.1)), /optim.cosine: expected an object with options \(end\)/],
    ['optim.multiStep', () => er.optim.multiStep(wrong(5)), /milestones must be a list/],
    ['Conv2d', () => new er.Conv2d(3, 0, 3), /Conv2d: outChannels must be an integer of at least 1/],
    ['Conv2d groups', () => new er.Conv2d(3, 4, 3, { groups: 2 }), /not divisible by 2 groups/],
    ['Conv2d option', () => new er.Conv2d(3, 4, 3, wrong({ pad: 1 })), /unknown option 'pad'/],
    ['BatchNorm2d', () => new er.BatchNorm2d(4, { momentum: 2 }), /momentum must be a number in \[0, 1\]/],
    ['Linear', () => new er.Linear(2.5, 1), /inFeatures must be an integer/],
    ['Dropout', () => new er.Dropout(1), /p must be a number in \[0, 1\)/],
    ['a layer outside a trace', () => new er.ReLU()(wrong({})), /only while a model is traced/],
    ['initialize', () => er.initialize(new Plain(), 1.5), /seed/],
    ['deviceInfo', () => er.deviceInfo('gpu'), /no device 'gpu' in this build: use cpu or reference|no device 'gpu'/],
  ]) // prettier-ignore
})

describe('what is not finite', () => {
  const diverge = async (model: er.Module, given: Partial<er.TrainerOptions>) => {
    await using trainer = new er.Trainer(model, { ...options, ...given, optimizer: er.optim.sgd({ lr: 1e30 }) })
    const losses: number[] = []
    for await (const event of trainer.fit()) if (event.type === 'step') losses.push(event.loss)
  }

  test.each(['reference', ...testedDevices])(
    'a learning rate too large, on %s: names the layer, the step and the rate',
    async device => {
      const model = new Plain()
      const error: unknown = await diverge(model, { device }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(er.NotFinite)
      const { message } = error as Error
      expect(message).toMatch(
        /^step [2-4] \(learning rate 1e\+30\): the loss or its gradient is not finite. The weights of the step before/,
      )
      expect(message).toMatch(
        /layer '[a-z.\d]+' \(\w+\) is the first that is not finite: element \d+ of \[[\d, ]+\] is (-?inf|-?nan)/,
      )
      expect(message).toMatch(/lower learning rate, warm-up or clipGradNorm/)
      for (const { data: values } of model.parameters()) expect(values.every(Number.isFinite)).toBe(true)
    },
  )

  test('with batch norm and momentum', async () => {
    const model = er.initialize(new er.models.CifarResNet(8, { numClasses: 4 }))
    await expect(diverge(model, { epochs: 4 })).rejects.toThrow(/^step \d+ \(learning rate 1e\+30\)/)
  })

  test('an image that is not finite', async () => {
    const train = async function* () {
      const images = new Float32Array(8 * 768)
      images[100] = NaN
      yield await Promise.resolve({ images, labels: new Int32Array(8) })
    }
    const stream = er.data.fromBatches({ train, shape, numClasses: 4, batchesPerEpoch: 1, imageType: 'f32' })
    const { data: before } = new Plain().parameters()[0]!
    const model = new Plain()
    await using trainer = new er.Trainer(model, { ...options, data: stream })
    await expect(trainer.fit().next()).rejects.toThrow(/^step 1 .*layer 'features\.0' \(conv2d\) is the first that is not finite/)
    expect(model.parameters()[0]!.data).toEqual(before)
  })

  test('checked mode names the layer in inference', async () => {
    const model = new Plain()
    model.parameters()[2]!.data[0] = Infinity
    using session = await er.compile(model, { inputs: { x: { shape: [1, ...shape] } }, checked: true })
    await expect(session.run({ x: new Float32Array(768).fill(1) })).rejects.toThrow(/layer 'features\.3' \(conv2d\)/)
  })
})

describe('memory that is not there', () => {
  class Vast extends er.Module {
    conv = new er.Conv2d(1, 1, 1, { padding: 2_000_000 })
    forward(x: er.Tensor): er.Tensor {
      return this.conv(x)
    }
  }
  test('is refused with its size and the largest tensors, and nothing else is harmed', async () => {
    using session = await er.compile(new Vast(), { inputs: { x: { shape: [1, 1, 1, 1] } } })
    expect(session.memory.arena).toBeGreaterThan(6e13)
    const run = session.run({ x: Float32Array.of(1) })
    await expect(run).rejects.toThrow(er.OutOfMemory)
    await expect(run).rejects.toThrow(/Largest tensors: conv \(64000032000004\)/)
    using other = await er.compile(new Plain(), { inputs: { x: { shape: [1, ...shape] } } })
    expect((await other.run({ x: new Float32Array(768) })).output!.shape).toEqual([1, 4])
  })
})
