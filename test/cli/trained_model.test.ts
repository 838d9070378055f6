/** Opening what a training left, and images from files: what is refused, and how. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readPng } from '../../src/cli/png.js'
import { openTrained } from '../../src/cli/trained_model.js'
import { indices } from '../../src/cli/values.js'
import { fromArrays } from '../../src/data/index.js'
import { eraseReLU } from '../../src/erase.js'
import { writeSafetensors } from '../../src/interop/safetensors.js'
import { create } from '../../src/models/index.js'
import { ReLU } from '../../src/nn/index.js'
import { modelMetadata } from '../../src/train/model_metadata.js'
import { erasedReLUs } from '../../src/train/training_description.js'

let root: string
const at = (...names: string[]) => join(root, ...names)
const data = fromArrays({
  images: new Uint8Array(48),
  labels: [0, 1],
  shape: [4, 6, 1],
  classNames: ['cat', 'dog'],
  mean: [0.5],
  std: [0.2],
})

/** A network with these first weights, and its file. */
async function saved(file: string, change: Record<string, string | undefined> = {}, weight = 1): Promise<string> {
  const model = create('resnet20', { numClasses: 2, inChannels: 1, width: 2 })
  eraseReLU(model, { proportion: 0.5 })
  model.stateDict().get('fc.bias')!.data.fill(weight)
  const metadata = Object.entries({
    ...modelMetadata({ model, data, settings: { erasedReLUs: erasedReLUs(model) } }, 7),
    ...change,
  }).filter(([, value]) => value !== undefined)
  const tensors = Array.from(model.stateDict(), ([name, { shape, data: values }]) => [name, { shape, data: values }] as const)
  await writeSafetensors(file, tensors, Object.fromEntries(metadata) as Record<string, string>)
  return file
}

const biasOf = async (...words: Parameters<typeof openTrained>) =>
  (await openTrained(...words)).model.stateDict().get('fc.bias')!.data[0]

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-trained-'))
})

describe('a weights file', () => {
  it('becomes its network, with the same ReLUs erased, its weights, classes and normalisation', async () => {
    const trained = await openTrained(await saved(at('model.safetensors'), {}, 3))
    const { model, metadata } = trained
    expect(model.options).toMatchObject({ numClasses: 2, inChannels: 1, width: 2 })
    expect(model.stateDict().get('fc.bias')!.data).toEqual(Float32Array.of(3, 3))
    const erased = Array.from(model.namedModules()).filter(([, module]) => module instanceof ReLU && module.erased)
    expect(erased.map(([name]) => name)).toEqual(metadata.erased_relus)
    expect(erased.length).toBeGreaterThan(0)
    expect(metadata.input).toEqual([4, 6, 1])
    expect(trained.normalised({ ...data, mean: [0], std: [1] })).toMatchObject({ mean: [0.5], std: [0.2] })
    expect([trained.className(1), trained.className(5)]).toEqual(['dog', '5'])
  })

  it.each<[Record<string, string | undefined>, RegExp]>([
    [
      { model: undefined, options: undefined },
      /its metadata does not say .*: model \(missing\), options \(missing\)\..*eraserelu train --model NAME/,
    ],
    [{ mean: '[0.5' }, /mean \(it is not JSON\)/],
    [{ input: '28' }, /input \(/],
    [{ erased_relus: 'layer9.relu' }, /erased_relus names 'layer9.relu', which is no ReLU of resnet20/],
    [{ model: 'resnet21' }, /no model is called 'resnet21'\. Did you mean/],
  ])('whose metadata is not enough is refused: %o', async (change, message) => {
    await expect(openTrained(await saved(at('strange.safetensors'), change))).rejects.toThrow(message)
  })

  it('that is missing, damaged or none is refused', async () => {
    await writeFile(at('damaged.safetensors'), 'no')
    await expect(openTrained(at('damaged.safetensors'))).rejects.toThrow(/damaged.safetensors is not a sound safetensors file/)
    await expect(openTrained(at('nowhere'))).rejects.toThrow(/nowhere: there is no such run folder, checkpoint or weights file/)
    await mkdir(at('empty'))
    await expect(openTrained(at('empty'))).rejects.toThrow(/empty is neither a run folder with a checkpoint .* nor a checkpoint/)
  })
})

it('a run folder: the best checkpoint or the last, the moving average or the weights', async () => {
  for (const [i, folder] of ['best', 'last'].entries()) {
    await mkdir(at('run', folder), { recursive: true })
    await saved(at('run', folder, 'model.safetensors'), {}, i)
  }
  await saved(at('run', 'last', 'model_ema.safetensors'), {}, 5)
  expect(await biasOf(at('run'))).toBe(0)
  expect(await biasOf(at('run'), { which: 'last' })).toBe(5)
  expect(await biasOf(at('run'), { which: 'last', ema: false })).toBe(1)
  expect(await biasOf(at('run', 'last'))).toBe(5)
  expect((await openTrained(at('run', 'last'))).averaged).toBe(true)
})

describe('a PNG file', () => {
  async function png(name: string, pixels: number[][], width = 2): Promise<string> {
    const image = new PNG({ width, height: pixels.length / width })
    image.data.set(pixels.flatMap(([red, green, blue]) => [red!, green!, blue!, 255]))
    await writeFile(at(name), PNG.sync.write(image))
    return at(name)
  }

  it('as grey and as colours, as the network takes it', async () => {
    const colours = await png('colours.png', [[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 10, 10]]) // prettier-ignore
    expect([...(await readPng(colours, [2, 2, 1]))]).toEqual([76, 150, 29, 10])
    expect([...(await readPng(colours, [2, 2, 3]))]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 10, 10])
  })

  it('of another size, damaged, none or missing is refused', async () => {
    const file = await png('wide.png', [[0, 0, 0], [0, 0, 0], [0, 0, 0]], 3) // prettier-ignore
    await expect(readPng(file, [28, 28, 1])).rejects.toThrow(
      /wide.png: the image is 3x1 pixels, the network takes 28x28: resize it/,
    )
    await expect(readPng(file, [1, 3, 4])).rejects.toThrow(/grey or RGB pixels, the network takes 4 channels/)
    const bytes = PNG.sync.write(new PNG({ width: 8, height: 8 }))
    for (const [name, content, problem] of [
      ['cut.png', bytes.subarray(0, 60), 'is a damaged PNG file'],
      ['text.png', 'a shoe', 'is no PNG file; convert it'],
      ['none.png', '', 'is no PNG file; convert it'],
    ] as const) {
      await writeFile(at(name), content)
      await expect(readPng(at(name), [8, 8, 1])).rejects.toThrow(new RegExp(`${name}: ${problem}`))
    }
    await expect(readPng(at('missing.png'), [8, 8, 1])).rejects.toThrow(/missing.png: cannot be read/)
  })
})

it('numbers and ranges of numbers', () => {
  expect(indices('0,3,5-8')).toEqual([0, 3, 5, 6, 7, 8])
  for (const wrong of ['', 'a', '3-', '5-3', '1,,2', '-1', '0-99999999']) expect(() => indices(wrong)).toThrow(/such as 0,3,5-9/)
})
