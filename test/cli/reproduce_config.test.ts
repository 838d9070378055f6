/** The definition of a study from a YAML file and flags, and what is wrong with it. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { plainStudy, readStudy, settingsOf, studyOf } from '../../src/cli/reproduce_config.js'
import { clock, together } from '../../src/cli/reproduce_time.js'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { armsOf } from '../../src/study/matrix.js'

let file: string

beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'eraserelu-study-')), 'study.yaml')
})

const yaml = `matrix:
  - { models: [resnet20, resnet56], proportions: [0, 1] }
  - { models: resnet20, locations: [first, 1], proportions: 0.5 }
seeds: [3, 1, 3]
settings: { epochs: 4, model-kwargs: { width: 4 }, erase-select: first }
`
const flags = { jobs: 1, outputDir: '/nowhere' }

it('takes single values for lists, drops what is named twice, and comes back from its own study.yaml', async () => {
  await writeFile(file, yaml)
  const study = await readStudy(file)
  expect(study).toEqual({
    matrix: [
      { models: ['resnet20', 'resnet56'], locations: ['last'], proportions: [0, 1] },
      { models: ['resnet20'], locations: ['first', 1], proportions: [0.5] },
    ],
    seeds: [3, 1],
    settings: { epochs: 4, 'model-kwargs': { width: 4 }, 'erase-select': 'first' },
  })
  await writeFile(file, stringify(plainStudy(study)))
  expect(await readStudy(file)).toEqual(study)
})

it('flags count before the file', async () => {
  await writeFile(file, yaml)
  const study = await studyOf({ epochs: 9 }, { ...flags, config: file, proportions: [0], seeds: [5] })
  expect(armsOf(study.matrix).map(({ id }) => id)).toEqual(['resnet20-baseline', 'resnet56-baseline'])
  expect([study.seeds, study.settings.epochs, study.settings['model-kwargs']]).toEqual([[5], 9, { width: 4 }])
})

it('takes the settings of a recipe, and its model where no other is named', async () => {
  await writeFile(file, 'settings: { recipe: resnet44-cifar10, batch-size: 32 }')
  const study = await studyOf({}, { ...flags, config: file })
  expect(study.settings).toMatchObject({ dataset: 'cifar10', 'batch-size': 32, epochs: 164 })
  expect(study.settings).not.toHaveProperty('model')
  const [baseline] = armsOf(study.matrix)
  expect(settingsOf(study, baseline!, 1)).toMatchObject({ model: 'resnet44', epochs: 164, 'batch-size': 32 })
  const other = await studyOf({}, { ...flags, config: file, models: ['resnet20'] })
  expect(other.matrix.map(part => part.models)).toEqual([['resnet20']])
  const flagged = await studyOf({ recipe: 'wrn_28_10-cifar10' }, { ...flags, config: file })
  expect(flagged.settings).toMatchObject({ recipe: 'wrn_28_10-cifar10', epochs: 200, 'batch-size': 128 })
  expect(flagged.matrix.map(part => part.models)).toEqual([['wrn_28_10']])
})

it('gives each arm its rule, and the network as published none', async () => {
  await writeFile(file, yaml)
  const study = await studyOf({}, { ...flags, config: file })
  const [baseline, last] = armsOf(study.matrix)
  expect(settingsOf(study, last!, 3)).toMatchObject({
    erase: 'last',
    'erase-proportion': 1,
    'erase-select': 'first',
    seed: 3,
    epochs: 4,
  })
  const untouched = settingsOf(study, baseline!, 3)
  expect([untouched.erase, untouched['erase-select'], untouched['erase-proportion']]).toEqual([undefined, 'even', 1])
})

it.each([
  ['matrx: []', /unknown key 'matrx'. Did you mean 'matrix'/],
  ['matrix: []', /matrix must be a list of parts, such as/],
  ['matrix: [resnet20]', /matrix\[0\] must map models, locations and proportions to lists/],
  ['matrix: [{ modles: a }]', /matrix\[0\]: unknown key 'modles'. Did you mean 'models'/],
  ['matrix: [{ proportions: [2] }]', /matrix\[0\].proportions: 2 is invalid. It must be a number from 0 to 1/],
  ['matrix: [{ locations: lsat }]', /matrix\[0\].locations: lsat is invalid. It must be 'last', 'first'/],
  ['settings: 3', /settings must map settings to values/],
  ['settings: { seed: 3 }', /settings: seed differs from run to run: that is what matrix and seeds are for/],
  ['settings: { epohcs: 3 }', /settings: unknown key 'epohcs'. Did you mean 'epochs'/],
  ['seeds: []', /seeds is empty/],
  ['- 3', /it must map matrix, seeds and settings to their values/],
])('%s: an error that names file and key', async (content, message) => {
  await writeFile(file, content)
  const error: unknown = await readStudy(file).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(InvalidArgument)
  expect((error as Error).message).toMatch(message)
  expect((error as Error).message.startsWith(file)).toBe(true)
})

it('adds up trainings that run beside each other', () => {
  expect(together([5, 3, 3, 1], 1)).toBe(12)
  expect(together([5, 3, 3, 1], 2)).toBe(6)
  expect([clock(59.6), clock(125), clock(93_665)]).toEqual(['1:00', '2:05', '26:01:05'])
})
