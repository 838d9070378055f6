/** Settings of a training: where they come from, which counts, what is written back, and what a wrong one is answered. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { benchCommand } from '../../src/cli/bench.js'
import { engineOptionsGiven } from '../../src/cli/engine_options.js'
import { evalCommand } from '../../src/cli/eval.js'
import { predictCommand } from '../../src/cli/predict.js'
import { trainCommand } from '../../src/cli/train.js'
import { differences, plainSettings, readSettings } from '../../src/cli/train_config.js'
import { planOf } from '../../src/cli/train_plan.js'
import { checkNames, prepared, trainerOptionsOf } from '../../src/cli/train_setup.js'
import {
  complete,
  defaults,
  optionOf,
  settingKeys,
  type CompleteSettings,
  type GivenSettings,
  type Named,
} from '../../src/cli/train_settings.js'
import * as data from '../../src/data/index.js'

let root: string
const at = (...names: string[]) => join(root, ...names)

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-config-'))
})

async function config(text: string): Promise<string> {
  await writeFile(at('config.yaml'), text)
  return at('config.yaml')
}

type Given = Named<GivenSettings>
const settingsOf = (given: Given): CompleteSettings => complete({ ...defaults, ...given })

describe('a YAML file', () => {
  it('has the keys of the flags; a value is checked as that of the flag', async () => {
    const file = await config(
      'lr: 0.05\nbatch-size: "32"\nlr-milestones: [82, 123]\nerase: 1\nmodel-ema: true\nmodel-kwargs: { shortcut: B, width: 8 }\n',
    )
    expect(await readSettings(file)).toEqual({
      lr: 0.05, 'batch-size': 32, 'lr-milestones': [82, 123], erase: 1, 'model-ema': true, 'model-kwargs': { shortcut: 'B', width: 8 },
    }) // prettier-ignore
  })

  it('may be empty, and may leave open what has no default', async () => {
    expect(await readSettings(await config(''))).toEqual({})
    expect(await readSettings(await config('clip-grad-norm: null\n'))).toEqual({ 'clip-grad-norm': undefined })
  })

  it.each([
    ['weight-deacy: 0.1', /config.yaml: unknown key 'weight-deacy'\. Did you mean 'weight-decay'/],
    ['batch_size: 12', /unknown key 'batch_size'\. Did you mean 'batch-size'/],
    ['lr: fast', /config.yaml: lr "fast" is invalid. It must be a number above 0/],
    ['epochs: 1.5', /epochs 1.5 is invalid. It must be an integer of at least 1/],
    ['epochs: null', /epochs null is invalid/],
    ['momentum: 1', /momentum 1 is invalid. It must be a number of at least 0 and below 1/],
    ['opt: sdg', /opt "sdg" is invalid. It must be one of sgd, sgd_nesterov, adamw. Did you mean 'sgd'/],
    ['model-ema: 1', /model-ema 1 is invalid. It must be true or false/],
    ['lr-milestones: [20, 10]', /lr-milestones \[20,10\] is invalid. The epochs must rise/],
    ['flip: maybe', /flip "maybe" is invalid. It must be one of true, false/],
    ['padding-mode: mirror', /padding-mode "mirror" is invalid. It must be one of zero, reflect/],
    ['crop-padding: -1', /crop-padding -1 is invalid. It must be an integer of at least 0/],
    ['color-jitter: [0.4, 0.4]', /color-jitter \[0.4,0.4\] is invalid. It must be one number from 0 to 1, or three of them/],
    ['color-jitter: 1.2', /color-jitter 1.2 is invalid. It must be a number from 0 to 1/],
    ['random-erasing: 2', /random-erasing 2 is invalid. It must be a number from 0 to 1/],
    ['random-erasing-value: grey', /random-erasing-value "grey" is invalid. It must be one of mean, random/],
    ['model-kwargs: B', /model-kwargs "B" is invalid. It must be name=value/],
    ['model-kwargs: [B]', /model-kwargs \["B"\] is invalid. It must map names to values/],
    ['- lr', /config.yaml: it must map settings to values/],
    ['lr: [1', /config.yaml is not YAML/],
  ])('%s: refused, with file and key', async (text, message) => {
    await expect(readSettings(await config(text))).rejects.toThrow(message)
  })

  it('that is missing is named', async () => {
    await expect(readSettings(at('no.yaml'))).rejects.toThrow(/no\.yaml: cannot be read/)
  })

  it('written back is read as the same settings', async () => {
    for (const settings of [
      settingsOf({}),
      settingsOf({ 'lr-milestones': [2, 4], erase: 'middle', 'model-kwargs': { width: 8 }, 'clip-grad-norm': 1, opt: 'adamw' }),
      settingsOf({ 'crop-padding': 4, 'padding-mode': 'reflect', flip: false, cutout: 0, normalize: 'unit' }),
      settingsOf({ 'color-jitter': [0.4, 0.2, 0], lighting: 0.1, 'random-erasing': 0.5, 'random-erasing-value': 'random' }),
    ]) {
      const written = plainSettings(settings)
      expect(Object.keys(written)).toEqual(settingKeys)
      expect({ ...defaults, ...(await readSettings(await config(stringify(written)))) }).toEqual(settings)
    }
  })
})

describe('flags', () => {
  it('every setting has one, with its key as long name; nothing is given by default', () => {
    expect(settingKeys.map(key => optionOf(key).name())).toEqual(settingKeys)
    expect(settingKeys.filter(key => optionOf(key).defaultValue !== undefined)).toEqual([])
  })

  it('help names every setting, its default and examples', () => {
    const command = trainCommand()
    let help = ''
    command.configureOutput({ writeOut: text => (help += text) }).outputHelp()
    for (const key of settingKeys) expect(help).toContain(`--${key}`)
    expect(help).toContain('--wd, --weight-decay')
    expect(help).toMatch(/-b, --batch-size <n> +images a step \(default: 64\)/)
    expect(help).toContain('Examples:')
  })
})

describe('what counts', () => {
  it('flags, then --config, then args.yaml of the run that is resumed, then the defaults', async () => {
    await mkdir(at('run'))
    await writeFile(at('run', 'args.yaml'), 'lr: 0.4\nepochs: 4\nseed: 4\n')
    const file = await config('lr: 0.3\nepochs: 3\n')
    const { settings, changes } = await planOf({ lr: 0.2 }, { config: file, outputDir: at('run'), resume: true })
    expect([settings.lr, settings.epochs, settings.seed, settings.momentum]).toEqual([0.2, 3, 4, 0.9])
    expect(changes).toEqual(['epochs: 4 -> 3', 'lr: 0.4 -> 0.2'])
    const afresh = await planOf({ lr: 0.2 }, { config: file, outputDir: at('run') })
    expect([afresh.settings.seed, afresh.changes]).toEqual([1, []])
  })

  it('a checkpoint brings the settings and the folder of its run', async () => {
    await mkdir(at('run', 'checkpoints', 'step-5'), { recursive: true })
    await writeFile(at('run', 'args.yaml'), 'seed: 4\n')
    for (const path of [at('run'), at('run', 'checkpoints', 'step-5')]) {
      const { settings, outputDir, resume } = await planOf({}, { resume: path })
      expect(settings.seed).toBe(4)
      expect(join(process.cwd(), outputDir)).toBe(at('run'))
      expect(join(process.cwd(), String(resume))).toBe(path)
    }
    expect((await planOf({}, { resume: at('run'), outputDir: at('other') })).outputDir).toBe(at('other'))
    await expect(planOf({}, { resume: at('nowhere') })).rejects.toThrow(
      /--resume .*nowhere: there is no such checkpoint or run folder/,
    )
  })

  it('the folder is named after what is trained, where none is given', async () => {
    expect((await planOf({}, {})).outputDir).toBe('runs/resnet20-fashion-mnist-sample')
    expect((await planOf({ model: 'resnet32', erase: 'last' }, {})).outputDir).toBe(
      'runs/resnet32-fashion-mnist-sample-erase-last',
    )
  })

  it('learning rate and warm-up have defaults that depend on others', () => {
    expect([settingsOf({}).lr, settingsOf({ opt: 'adamw' }).lr, settingsOf({ opt: 'adamw', lr: 1 }).lr]).toEqual([0.1, 0.001, 1])
    expect([settingsOf({}), settingsOf({ epochs: 2 })].map(settings => settings['lr-warmup-epochs'])).toEqual([1, 0.5])
  })

  it('differences are told where both are known', () => {
    const now = settingsOf({ erase: 'last', 'model-kwargs': { width: 8 } })
    expect(differences({ erase: undefined, 'model-kwargs': {}, lr: 0.1 }, now)).toEqual([
      'model-kwargs: {} -> {"width":8}',
      'erase: not set -> last',
    ])
  })
})

describe('what is trained', () => {
  const place = (step: number, totalEpochs = 8) => ({
    step,
    epoch: step / 10,
    totalSteps: 10 * totalEpochs,
    totalEpochs,
    stepsPerEpoch: 10,
  })
  const factors = async (given: Given, steps: number[]) => {
    const settings = settingsOf({ 'lr-warmup-epochs': 0, ...given })
    const { schedule } = trainerOptionsOf(settings, await data.open('fashion-mnist-sample'))
    return steps.map(step => +schedule!(place(step)).toFixed(6))
  }

  it.each<[Given, number[], number[]]>([
    [{ 'lr-scheduler': 'constant' }, [0, 79], [1, 1]],
    [{ 'lr-scheduler': 'steplr', 'lr-step-size': 3 }, [29, 30, 60], [1, 0.1, 0.01]],
    [{ 'lr-scheduler': 'multisteplr', 'lr-milestones': [2, 4], 'lr-gamma': 0.5 }, [19, 20, 40], [1, 0.5, 0.25]],
    [{ 'lr-scheduler': 'cosineannealinglr', 'lr-min': 0.01 }, [0, 40, 80], [1, 0.55, 0.1]],
    [{ 'lr-scheduler': 'exponentiallr', 'lr-gamma': 0.5 }, [0, 10, 20], [1, 0.5, 0.25]],
    [{ 'lr-scheduler': 'polylr', 'lr-power': 2 }, [0, 40, 80], [1, 0.25, 0]],
    [{ 'lr-scheduler': 'constant', 'lr-warmup-epochs': 1, 'lr-warmup-decay': 0.2 }, [0, 5, 10], [0.2, 0.6, 1]],
    [{ 'lr-scheduler': 'constant', 'lr-warmup-epochs': 1, 'lr-warmup-method': 'constant' }, [0, 9, 10], [0.01, 0.01, 1]],
  ])('learning rate: %o', async (given, steps, expected) => {
    expect(await factors(given, steps)).toEqual(expected)
  })

  it('optimizer, average and the rest', async () => {
    const source = await data.open('fashion-mnist-sample')
    const options = (given: Given) => trainerOptionsOf(settingsOf(given), source)
    expect(options({ 'norm-weight-decay': 0 }).optimizer).toMatchObject({
      kind: 'sgd', lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4, normWeightDecay: 0, biasWeightDecay: 5e-4,
    }) // prettier-ignore
    expect(options({ opt: 'sgd', momentum: 0 }).optimizer).toMatchObject({ momentum: 0, nesterov: false })
    expect(options({ opt: 'adamw', 'bias-weight-decay': 0 }).optimizer).toMatchObject({ kind: 'adamw', biasWeightDecay: 0 })
    expect(options({ 'model-ema': true, 'model-ema-decay': 0.9 }).ema).toMatchObject({ decay: 0.9 })
    expect(options({})).not.toHaveProperty('ema')
    expect(options({ precision: 'f16' })).toMatchObject({ precision: 'f16' })
    expect(options({ 'clip-grad-norm': 2, accumulate: 3, 'label-smoothing': 0.1, 'eval-batch-size': 5 })).toMatchObject({
      clipGradNorm: 2, accumulate: 3, labelSmoothing: 0.1, evalBatchSize: 5,
    }) // prettier-ignore
    expect(options({ nondeterministic: true })).toMatchObject({ autotune: false, deterministic: false })
    expect(options({ autotune: true, 'workspace-limit': 8 })).toMatchObject({
      autotune: true, deterministic: true, workspaceLimit: 2 ** 23,
    }) // prettier-ignore
  })

  it.each([evalCommand, predictCommand, benchCommand])('the engines, of other commands too: %o', made => {
    const command = made()
    command.parseOptions(['--autotune', '--nondeterministic', '--workspace-limit', '8'])
    expect(engineOptionsGiven(command.opts())).toEqual({ autotune: true, deterministic: false, workspaceLimit: 2 ** 23 })
    expect(engineOptionsGiven(made().opts())).toEqual({ autotune: false, deterministic: true })
  })

  it('augmentation and normalisation of the data set, or others', async () => {
    const source = await data.open('fashion-mnist-sample')
    const of = (given: Given) => prepared(source, settingsOf(given))
    expect(of({})).toEqual(source)
    expect(of({ 'padding-mode': 'reflect' }).augment).toEqual({ ...source.augment, padMode: 'reflect' })
    const { augment, mean, std } = of({ 'crop-padding': 0, flip: false, cutout: 8, normalize: 'unit' })
    expect(augment).toEqual({ pad: 0, padMode: 'zero', flip: false, cutout: 8, randomErasing: 0 })
    expect([mean, std]).toEqual([[0], [1]])
    expect(() => of({ 'crop-padding': 28, 'padding-mode': 'reflect' })).toThrow(/needs images larger than 28/)
  })

  it.each<[Given, RegExp]>([
    [{ model: 'resnet21' }, /no model is called 'resnet21'/],
    [{ 'data-path': 'x' }, /--data-path is for other data sets/],
    [{ lighting: 0.1 }, /--lighting is for images in files \(--dataset .*, this is fashion-mnist-sample/],
    [{ 'model-kwargs': { numClasses: 3 } }, /--model-kwargs numClasses: that is given by the data set/],
    [{ 'model-kwargs': { shortcut: 'C' } }, /resnet20: shortcut must be one of A, B/],
    [{ 'keep-final': true }, /--keep-final says how to erase, but nothing is erased: add --erase last/],
    [{ momentum: 0 }, /sgd_nesterov needs a --momentum above 0/],
    [{ 'lr-scheduler': 'multisteplr' }, /multisteplr needs --lr-milestones, such as 82,123/],
    [{ 'lr-min': 1 }, /--lr-min 1 is above --lr 0.1/],
  ])('%o: refused', (given, message) => {
    expect(() => checkNames(settingsOf(given))).toThrow(message)
  })
})
