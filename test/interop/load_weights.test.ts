import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { compile } from '../../src/graph/session.js'
import { loadWeights, saveWeights } from '../../src/interop/index.js'
import { readSafetensors, writeSafetensors, type StoredTensor } from '../../src/interop/safetensors.js'
import * as models from '../../src/models/index.js'
import { Linear, type Module } from '../../src/nn/index.js'
import { InvalidArgument, OutputError } from '../../src/runtime/errors.js'
import { expectedOfTorch, torchFile, TorchNet } from './torch_net.js'

const folder = mkdtempSync(join(tmpdir(), 'eraserelu-weights-'))
afterAll(() => rmSync(folder, { recursive: true }))

const valuesOf = (model: Module) => Array.from(model.namedParameters(), ([name, { data }]) => [name, [...data]])
const resnet = (seed: number, numClasses = 10) => models.create('resnet20', { seed, numClasses })

async function fileOf(name: string, tensors: Record<string, StoredTensor>, metadata = {}): Promise<string> {
  const file = join(folder, name)
  await writeSafetensors(file, Object.entries(tensors), metadata)
  return file
}

async function messageOf(loading: Promise<unknown>): Promise<string> {
  const error = await loading.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(InvalidArgument)
  return (error as Error).message
}

describe('a file of this package', () => {
  test('gives back every weight and statistic, whatever the model had', async () => {
    const [saved, loaded] = [resnet(1), resnet(2)]
    saved.parameters().forEach(({ data }, i) => (data[0] = i))
    const file = join(folder, 'resnet20.safetensors')
    await saveWeights(saved, file, { metadata: { model: 'resnet20', layout: 'ours' } })
    const report = await loadWeights(loaded, file)
    expect(valuesOf(loaded)).toEqual(valuesOf(saved))
    expect(report).toMatchObject({ file, loaded: [...saved.stateDict().keys()], missing: [], unexpected: [], mismatched: [] })
    expect(report.toString()).toBe(`${file}: ${saved.parameters().length} tensors loaded`)
    expect((await readSafetensors(file)).metadata).toEqual({ model: 'resnet20', layout: 'KRSC' })
  })

  test('that cannot be written says so', async () => {
    await expect(saveWeights(resnet(1), join(folder, 'none/a.safetensors'))).rejects.toThrow(OutputError)
  })
})

describe('a file of PyTorch', () => {
  test('gives the network that PyTorch had', async () => {
    const expected = await expectedOfTorch()
    const model = new TorchNet()
    const report = await loadWeights(model, torchFile)
    expect(report).toMatchObject({ loaded: [...model.stateDict().keys()], unexpected: [] })
    using session = await compile(model, { inputs: { x: { shape: [4, 6, 6, 3] } } })
    const { output } = await session.run({ x: (expected('images') as Float32Array).subarray(0, 4 * 6 * 6 * 3) })
    for (const [i, value] of output!.data.entries()) expect(value).toBeCloseTo(Number(expected('output')[i]), 5)
  })

  test('read as what it is not does not fit, and the message says how to read it', async () => {
    expect(await messageOf(loadWeights(new TorchNet(), torchFile, { layout: 'KRSC' }))).toMatch(/pass layout: 'KCRS'/)
    const untold = join(folder, 'untold.safetensors')
    const model = new TorchNet()
    await writeSafetensors(untold, model.stateDict())
    const message = await messageOf(loadWeights(new TorchNet(), untold))
    expect(message).toMatch(/1 of another shape: conv\.weight \[4, 2, 3, 3\] for \[4, 3, 2, 3\]/)
    expect(message).toMatch(/pass layout: 'KRSC'/)
    const other = new TorchNet()
    await loadWeights(other, untold, { layout: 'KRSC' })
    expect(valuesOf(other)).toEqual(valuesOf(model))
  })
})

describe('a linear layer behind a flattened map', () => {
  const vgg = () => models.create('vgg11_bn', { width: 1, headSize: 2, numClasses: 5 })
  const file = join(import.meta.dirname, 'torch_vgg.safetensors')

  test('of PyTorch gives what PyTorch gives', async () => {
    const { tensors } = await readSafetensors(join(import.meta.dirname, 'torch_vgg_expected.safetensors'))
    const model = vgg()
    const report = await loadWeights(model, file)
    expect(report.loaded).toHaveLength(model.stateDict().size)
    using session = await compile(model, { inputs: { x: { shape: [2, 64, 128, 3] } } })
    const x = Float32Array.from({ length: 2 * 64 * 128 * 3 }, (_, i) => ((i * 37) % 101) / 50 - 1)
    const { output } = await session.run({ x })
    const expected = tensors.get('output')!.data as Float32Array
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.1)
    for (const [i, value] of output!.data.entries()) expect(value).toBeCloseTo(expected[i]!, 4)
  })

  test('written for PyTorch is the file that PyTorch wrote', async () => {
    const [model, again] = [vgg(), vgg()]
    await loadWeights(model, file)
    const saved = join(folder, 'for_torch.safetensors')
    await saveWeights(model, saved, { layout: 'KCRS' })
    const [ours, torch] = [await readSafetensors(saved), await readSafetensors(file)]
    expect(ours.metadata).toEqual({ layout: 'KCRS' })
    const expected = [...torch.tensors].filter(([name]) => !name.endsWith('num_batches_tracked'))
    expect(ours.tensors.size).toBe(expected.length)
    for (const [name, { shape, data }] of expected) expect(ours.tensors.get(name), name).toMatchObject({ shape, data })
    await loadWeights(again, saved)
    expect(valuesOf(again)).toEqual(valuesOf(model))
  })

  test('whose declared map has another size is refused', () => {
    expect(() => new Linear(32, 4, { inputShape: [2, 2, 4] })).toThrow(
      /Linear: inputShape must be \[height, width, channels\] with 32 values in all, got \[2, 2, 4\]/,
    )
    expect(new Linear(16, 4, { inputShape: [2, 2, 4] }).weight.inputShape).toEqual([2, 2, 4])
  })
})

test('other types of numbers become f32', async () => {
  const model = new TorchNet()
  const file = await fileOf('types', {
    'fc.weight': { shape: [3, 4], data: Float64Array.from({ length: 12 }, (_, i) => i / 10) },
    'fc.bias': { shape: [3], data: BigInt64Array.of(1n, -2n, 3n) },
    'bn.weight': { shape: [4], data: Uint8Array.of(1, 2, 3, 255) },
  })
  await loadWeights(model, file, { strict: false })
  expect(model.fc.weight.data).toEqual(Float32Array.from({ length: 12 }, (_, i) => i / 10))
  expect([...model.fc.bias!.data, ...model.bn.weight.data]).toEqual([1, -2, 3, 1, 2, 3, 255])
})

describe('a file that does not fit', () => {
  const head = { 'fc.weight': { shape: [3, 4], data: new Float32Array(12) }, odd: { shape: [1], data: new Float32Array(1) } }

  test('is refused as a whole: everything that is wrong is listed and the model is as before', async () => {
    const model = new TorchNet()
    const before = valuesOf(model)
    const message = await messageOf(loadWeights(model, await fileOf('head', head)))
    expect(message).toMatch(/loadWeights: the file does not fit the model; nothing was loaded/)
    expect(message).toMatch(/head: 1 tensors loaded/)
    expect(message).toMatch(/6 missing in the file: conv\.weight, bn\.weight, bn\.bias/)
    expect(message).toMatch(/1 unexpected in the file: odd/)
    expect(message).toMatch(/strict: false loads what fits/)
    expect(valuesOf(model)).toEqual(before)
  })

  test('is loaded as far as it fits without strict', async () => {
    const model = new TorchNet()
    const report = await loadWeights(model, await fileOf('part', head), { strict: false })
    expect(report).toMatchObject({ loaded: ['fc.weight'], unexpected: ['odd'], mismatched: [] })
    expect(report.missing).toHaveLength(6)
    expect(model.fc.weight.data.every(value => value === 0)).toBe(true)
    expect(model.fc.bias!.data.every(value => value === 0)).toBe(false)
  })

  test('in anything at all is refused even without strict', async () => {
    const file = await fileOf('nothing', { odd: head.odd })
    expect(await messageOf(loadWeights(new TorchNet(), file, { strict: false }))).toMatch(/rename: name => …/)
  })

  test('because of the number of classes: says which model would', async () => {
    const file = join(folder, 'classes.safetensors')
    await saveWeights(resnet(1, 10), file)
    const model = resnet(2, 100)
    expect(await messageOf(loadWeights(model, file))).toMatch(
      /2 of another shape: fc\.weight \[10, 64\] for \[100, 64\], fc\.bias.*\n.*10 classes, this one has 100: use models\.create\('resnet20', \{ numClasses: 10 \}\)/,
    )
    const bias = [...model.stateDict().get('fc.bias')!.data]
    const { mismatched } = await loadWeights(model, file, { strict: false })
    expect(mismatched).toEqual([
      { name: 'fc.weight', model: [100, 64], file: [10, 64] },
      { name: 'fc.bias', model: [100], file: [10] },
    ])
    expect([...model.stateDict().get('fc.bias')!.data]).toEqual(bias)
  })

  test('because of a layout the metadata invents: names the known ones', async () => {
    const file = await fileOf('layout', head, { layout: 'NCHW' })
    expect(await messageOf(loadWeights(new TorchNet(), file))).toMatch(/layout must be one of KRSC, KCRS, got 'NCHW'/)
  })
})

describe('rename', () => {
  test('maps the names of the file, or passes over', async () => {
    const { tensors } = await readSafetensors(torchFile)
    const prefixed = Object.fromEntries(Array.from(tensors, ([name, tensor]) => [`module.${name}`, tensor]))
    const file = await fileOf('prefixed', { ...prefixed, epoch: { shape: [], data: BigInt64Array.of(3n) } })
    const [model, expected] = [new TorchNet(), new TorchNet()]
    expect(await messageOf(loadWeights(model, file))).toMatch(
      /'module\.bn\.bias' of the file may be 'bn\.bias' of the model: pass rename: name => name\.replace\('module\.', ''\)/,
    )
    await loadWeights(model, file, { rename: name => (name === 'epoch' ? undefined : name.replace('module.', '')) })
    await loadWeights(expected, torchFile)
    expect(valuesOf(model)).toEqual(valuesOf(expected))
  })

  test('adds a prefix that the file lacks', async () => {
    class Outer extends TorchNet {
      inner = new TorchNet()
    }
    const message = await messageOf(loadWeights(new Outer(), torchFile))
    expect(message).not.toMatch(/rename/)
    const file = await fileOf('inner', { weight: { shape: [3], data: new Float32Array(3) } })
    expect(await messageOf(loadWeights(new TorchNet(), file))).toMatch(/pass rename: name => 'conv\.' \+ name/)
  })

  test('to one name twice is refused', async () => {
    expect(await messageOf(loadWeights(new TorchNet(), torchFile, { rename: () => 'fc.bias' }))).toMatch(
      /rename gives 'fc\.bias' for both 'bn\.bias' and/,
    )
  })
})

test.each<[() => Promise<unknown>, RegExp]>([
  [() => loadWeights(new TorchNet(), torchFile, { strcit: true } as object), /unknown option 'strcit'\. Did you mean 'strict'/],
  [() => loadWeights(new TorchNet(), torchFile, { rename: 'fc' as unknown as () => string }), /rename must be a function/],
  [() => loadWeights(new TorchNet(), torchFile, { layout: 'NHWC' as 'KRSC' }), /layout must be one of KRSC, KCRS/],
  [() => saveWeights(new TorchNet(), join(folder, 'a'), { layout: 'NHWC' as 'KRSC' }), /saveWeights: layout must be one of KRSC/],
  [() => loadWeights('resnet20' as unknown as Module, torchFile), /must be a Module/],
  [() => loadWeights(new TorchNet(), join(folder, 'none')), /none: cannot be read/],
])('%s is refused', async (load, message) => {
  expect(await messageOf(load())).toMatch(message)
})
