/** Recipes: every file is complete and makes a trainer, what counts beside them, and a training by one. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { allRecipes, withRecipe, type Recipe } from '../../src/cli/recipe_files.js'
import { planOf } from '../../src/cli/train_plan.js'
import { checkNames, prepared, trainerOptionsOf } from '../../src/cli/train_setup.js'
import { complete, defaults, settingKeys, type SettingKey } from '../../src/cli/train_settings.js'
import * as data from '../../src/data/index.js'
import { build } from '../../src/models/registry.js'
import { fewImages } from './few_images.js'
import { runCli } from './run_cli.js'

const recipes = await allRecipes()
const source = await data.open('fashion-mnist-sample')
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-recipes-'))
})

const settingsOf = ({ settings }: Recipe) =>
  complete({ ...defaults, ...settings, ...(settings.dataset === 'imagenet' && { 'data-path': root }), precision: 'f32' })
const find = (name: string) => recipes.find(recipe => recipe.name === name)!

const always: SettingKey[] = [
  'model', 'dataset', 'batch-size', 'epochs', 'flip', 'normalize', 'opt', 'lr', 'momentum', 'weight-decay', 'lr-scheduler',
  'lr-gamma', 'lr-warmup-epochs',
] // prettier-ignore

const ofArrays: SettingKey[] = ['crop-padding', 'padding-mode', 'cutout']
const ofFolders: SettingKey[] = ['train-crop-size', 'val-resize-size', 'val-crop-size']

describe.each(recipes)('$name', recipe => {
  const { name, settings } = recipe

  it('says everything, by keys that there are', () => {
    const keys: SettingKey[] = [...always, ...(settings.dataset === 'imagenet' ? ofFolders : ofArrays)]
    for (const key of keys) expect(settings[key], key).toBeDefined()
    expect(Object.keys(settings).filter(key => !settingKeys.includes(key as SettingKey))).toEqual([])
    expect(name.endsWith(`-${settings.dataset!.replace('-extra', '')}`) && name.startsWith(settings.model!)).toBe(true)
  })

  it('has a model for such images, a rate that falls before the end, and options that the trainer takes', () => {
    const { imageSize } = build(settings.model!, settings['model-kwargs'])
    expect(imageSize).toBe(settings.dataset === 'imagenet' ? 224 : 32)
    const all = settingsOf(recipe)
    checkNames(all)
    const { schedule, epochs } = trainerOptionsOf(all, prepared(source, all))
    const rateAt = (epoch: number) => schedule!({ epoch, step: epoch, totalSteps: epochs, totalEpochs: epochs, stepsPerEpoch: 1 })
    expect(rateAt(epochs - 1)).toBeLessThan(0.05)
    expect(settings['lr-milestones']?.at(-1) ?? 0).toBeLessThan(epochs)
  })
})

it('each has a name of its own, and the networks of the paper are there', () => {
  const names = recipes.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const small = [
    'resnet20', 'resnet32', 'resnet44', 'resnet56', 'resnet110', 'resnet1202', 'preact_resnet110', 'preact_resnet164', 'preact_resnet1001',
    'wrn_28_10', 'wrn_40_4', 'resnext29_8x64d', 'resnext29_16x64d', 'resnext29_32x4d', 'densenet_40_12', 'densenet_100_12', 'densenet_100_24',
    'densenet_bc_100_12', 'densenet_bc_190_40', 'densenet_bc_250_24', 'vgg16_bn_cifar',
  ] // prettier-ignore
  const large = [
    'resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152', 'resnet200', 'preact_resnet200', 'wide_resnet50_2', 'resnext50_32x4d',
    'resnext101_32x4d', 'densenet121', 'densenet169', 'densenet201', 'densenet161', 'bn_inception', 'vgg16_bn',
  ] // prettier-ignore
  const expected = [
    ...small.flatMap(model => [`${model}-cifar10`, `${model}-cifar100`]),
    ...large.map(model => `${model}-imagenet`),
    'wrn_16_8-svhn',
    'densenet_100_24-svhn',
  ]
  expect(expected.filter(name => !names.includes(name))).toEqual([])
})

it.each([
  ['resnet20-cifar10', 164, { 0: 0.1, 81: 0.1, 82: 0.01, 123: 0.001 }],
  ['resnet110-cifar100', 166, { 0: 0.01, 1: 0.1, 82: 0.1, 83: 0.01, 124: 0.001 }],
  ['preact_resnet1001-cifar10', 200, { 0: 0.1, 81: 0.01, 122: 0.001 }],
  ['wrn_28_10-cifar10', 200, { 0: 0.1, 60: 0.02, 120: 0.004, 160: 0.0008 }],
  ['wrn_16_8-svhn', 160, { 0: 0.01, 80: 0.001, 120: 0.0001 }],
  ['resnext29_16x64d-cifar10', 300, { 0: 0.1, 150: 0.01, 225: 0.001 }],
  ['densenet_bc_100_12-svhn', 40, { 0: 0.1, 20: 0.01, 30: 0.001 }],
  ['resnet50-imagenet', 90, { 0: 0.1, 30: 0.01, 60: 0.001 }],
])('learning rates of %s', (name, epochs, rates) => {
  const options = trainerOptionsOf(settingsOf(find(name)), source)
  expect(options.epochs).toBe(epochs)
  for (const [epoch, rate] of Object.entries(rates)) {
    const at = { epoch: Number(epoch), step: 10 * Number(epoch), totalSteps: 10 * epochs, totalEpochs: epochs, stepsPerEpoch: 10 }
    expect(options.optimizer.lr * options.schedule!(at)).toBeCloseTo(rate, 10)
  }
})

it('options and augmentation arrive', () => {
  const { settings } = find('wrn_16_8-svhn')
  expect(settings['model-kwargs']).toEqual({ dropout: 0.4 })
  expect(settings.normalize).toBe('unit')
  expect(prepared(source, settingsOf(find('wrn_28_10_dropout-cifar10'))).augment).toEqual({
    pad: 4, padMode: 'reflect', flip: true, cutout: 0, randomErasing: 0,
  }) // prettier-ignore
})

describe('what counts', () => {
  it('the other flags, then --recipe, then --config with its own recipe, then the defaults', async () => {
    const config = join(root, 'config.yaml')
    await writeFile(config, 'recipe: wrn_28_10-cifar10\nseed: 7\nlr: 0.3\n')
    const byConfig = (await planOf({ epochs: 3 }, { config })).settings
    expect([byConfig.model, byConfig.lr, byConfig.epochs, byConfig['lr-gamma'], byConfig.seed]).toEqual([
      'wrn_28_10',
      0.3,
      3,
      0.2,
      7,
    ])
    const { settings, outputDir } = await planOf({ recipe: 'resnet110-cifar10', 'weight-decay': 0 }, { config })
    expect([settings.recipe, settings.model, settings.lr, settings['weight-decay'], settings.seed]).toEqual([
      'resnet110-cifar10', 'resnet110', 0.1, 0, 7,
    ]) // prettier-ignore
    expect(outputDir).toBe('runs/resnet110-cifar10')
  })

  it.each([
    ['resnet110-cifr10', "there is no recipe 'resnet110-cifr10'. Did you mean 'resnet110-cifar10'"],
    ['resnet110', "Did you mean 'resnet110-cifar10'"],
    ['nonsense', 'Known: densenet_40_12-cifar10, '],
  ])('%s: refused, with what there is', async (recipe, message) => {
    await expect(withRecipe({ recipe })).rejects.toThrow(message)
  })
})

it(
  'a training by a recipe, with flags before it, leaves its name and all values in args.yaml',
  { timeout: 300_000 },
  async () => {
    const images = await fewImages(join(root, 'images'), { train: 256, t10k: 100 })
    const flags = [
      '--dataset',
      'fashion-mnist',
      '--data-path',
      images,
      '--model',
      'resnet20',
      '--model-kwargs',
      'width=4',
      '--epochs',
      '1',
    ]
    const { code, stderr } = await runCli(['train', '--recipe', 'resnet110-cifar10', ...flags, '--output-dir', 'run'], {
      cwd: root,
    })
    expect([code, stderr]).toEqual([0, ''])
    const args = parse(await readFile(join(root, 'run/args.yaml'), 'utf8')) as Record<string, unknown>
    expect(args).toMatchObject({
      ...find('resnet110-cifar10').settings,
      recipe: 'resnet110-cifar10',
      model: 'resnet20',
      epochs: 1,
      dataset: 'fashion-mnist',
    })
    expect(Object.keys(args)).toEqual(settingKeys)
    const [first] = (await readFile(join(root, 'run/metrics.jsonl'), 'utf8')).split('\n')
    expect(JSON.parse(first!)).toMatchObject({ learningRate: expect.closeTo(0.01, 8) as number })
  },
)

it('`recipes` lists them', { timeout: 300_000 }, async () => {
  const { stdout } = await runCli(['recipes', '--json'])
  expect((JSON.parse(stdout) as Recipe[]).map(({ name }) => name)).toEqual(recipes.map(({ name }) => name))
  expect((await runCli(['recipes'])).stdout).toMatch(
    /^\| resnet110-cifar10 +\| +166 \| +128 \| +0\.1 \| +83,124 \| +0\.1 \| +0\.0001 \| +resnet-cifar\.yaml \|$/m,
  )
})

it('those of fb.resnet.torch alter colours', () => {
  expect(find('resnet50-imagenet').settings).toMatchObject({ 'color-jitter': [0.4, 0.4, 0.4], lighting: 0.1 })
  expect(find('vgg16_bn-imagenet').settings['color-jitter']).toBeUndefined()
})
