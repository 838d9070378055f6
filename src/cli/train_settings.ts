/**
 * The settings of a training: this table is where flags, keys of YAML files, checks, defaults and help come from. The key of a
 * setting, in YAML files and in the code, is its long flag without the dashes. Names are torchvision's where it has them.
 */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { memories } from '../graph/passes/recompute.js'
import type { Precision } from '../graph/precision.js'
import { precisionHelp, precisionWords } from './auto_precision.js'
import {
  belowOne, gamma, keyValue, location, milestones, naturalNumber, positiveInteger, positiveNumber, share, text, weight, word,
} from './values.js' // prettier-ignore

interface Setting<T> {
  /** As commander takes them: '-b, --batch-size <n>'. */
  readonly flags: string
  readonly about: string
  /** undefined: not set. */
  readonly fallback: T
  /** Makes the value of a flag's text or of what a YAML file holds; `before`: from an earlier flag of the same name. Throws InvalidArgumentError. */
  read(given: unknown, before?: T): T
  readonly choices?: readonly string[] | undefined
}

/** A flag with a value. */
const value = <T>(flags: string, about: string, parse: (given: string) => T, fallback: T): Setting<T> => ({
  flags,
  about,
  fallback,
  read: given => parse(textOf(given)),
})

/** A flag with a value that may be left open. */
const optional = <T>(flags: string, about: string, parse: (given: string) => T): Setting<T | undefined> =>
  value<T | undefined>(flags, about, parse, undefined)

const choice = <T extends string>(flags: string, about: string, choices: readonly T[], fallback: T): Setting<T> => ({
  ...value(flags, about, word(choices), fallback),
  choices,
})

const optionalChoice = <T extends string>(flags: string, about: string, choices: readonly T[]): Setting<T | undefined> => ({
  ...optional(flags, about, word(choices)),
  choices,
})

/** A flag with true or false, for what the data set decides where it is not given. */
const decision = (flags: string, about: string): Setting<boolean | undefined> => ({
  ...optional(flags, about, given => word(truths)(given) === 'true'),
  choices: truths,
})
const truths = ['true', 'false'] as const

/** A flag without a value. */
const onOff = (flags: string, about: string): Setting<boolean> => ({
  flags,
  about,
  fallback: false,
  read: given => {
    if (typeof given === 'boolean') return given
    throw new InvalidArgumentError('It must be true or false.')
  },
})

const schedulers = ['constant', 'steplr', 'multisteplr', 'cosineannealinglr', 'exponentiallr', 'polylr'] as const

const table = {
  recipe: optional('--recipe <name>', "settings of a published training, such as resnet110-cifar10; 'eraserelu recipes' lists them", text),
  model: value('--model <name>', 'network, such as resnet20', text, 'resnet20'),
  'model-kwargs': {
    flags: '--model-kwargs <name=value...>',
    about: 'other options of the network, such as shortcut=B',
    fallback: {},
    read: (given, before = {}) => (typeof given === 'string' ? keyValue(given, before) : mapping(given)),
  } satisfies Setting<Readonly<Record<string, unknown>>> as Setting<Readonly<Record<string, unknown>>>,
  weights: optional('--weights <file>', 'start from the weights in this safetensors file, of this package or of PyTorch', text),
  dataset: value('--dataset <name>', 'fashion-mnist-sample (comes with the package), fashion-mnist, mnist, cifar10, cifar100, svhn, svhn-extra, or images: image-folder, imagenet, webdataset (tar files), shards; default with --data-path: what lies there', text, 'fashion-mnist-sample'),
  'data-path': optional('--data-path <folder>', 'folder with the files of the data set (default: looked for, else downloaded), or where images are: class folders, tar files, shards', text),
  'train-crop-size': optional('--train-crop-size <pixels>', 'images: side of the random crop that training sees (default: 224)', positiveInteger),
  'val-crop-size': optional('--val-crop-size <pixels>', 'images: side of the centre that evaluation sees (default: 224)', positiveInteger),
  'val-resize-size': optional('--val-resize-size <pixels>', 'images: shorter side before that crop (default: 256)', positiveInteger),
  workers: optional('-j, --workers <n>', 'images: threads that decode (default: one a processor)', positiveInteger),
  prefetch: optional('--prefetch <n>', 'images: batches that are decoded ahead (default: 2)', positiveInteger),
  'max-corrupt': optional('--max-corrupt <n>', 'images: files that cannot be read and are passed over in an epoch (default: 0)', naturalNumber),
  'crop-padding': optional('--crop-padding <pixels>', "added on every side before a random crop; 0: no crop (default: the data set's)", naturalNumber),
  'padding-mode': optionalChoice('--padding-mode <mode>', "what is added: black, or the image mirrored (default: the data set's)", ['zero', 'reflect']),
  flip: decision('--flip <whether>', "mirror images left to right at random (default: the data set's)"),
  cutout: optional('--cutout <pixels>', "side of a square that is blanked at random; 0: none (default: the data set's)", naturalNumber),
  'color-jitter': optional('--color-jitter <strengths>', 'images: random brightness, contrast and saturation, 0 to 1: one number or three, such as 0.4 (default: 0)', strengths),
  lighting: optional('--lighting <std>', "images: random light along ImageNet's principal colours, such as 0.1 (default: 0)", weight),
  'random-erasing': optional('--random-erasing <probability>', 'erase a random rectangle of training images (default: 0)', share),
  'random-erasing-value': optionalChoice('--random-erasing-value <how>', 'images: what is there then: the mean colour, or random bytes (default: mean)', ['mean', 'random']),
  normalize: choice('--normalize <how>', "pixels: by the data set's mean and standard deviation, or only / 255", ['mean-std', 'unit'], 'mean-std'),
  'train-images': optional('--train-images <n>', 'train on so many images, evenly spread over the data set (default: all)', positiveInteger),
  'batch-size': value('-b, --batch-size <n>', 'images a step', positiveInteger, 64),
  epochs: value('--epochs <n>', 'how often every training image is seen', positiveInteger, 8),
  seed: value('--seed <n>', 'of weights, order of images and augmentation', naturalNumber, 1),
  device: value('--device <name>', 'device', text, 'cpu'),
  autotune: onOff('--autotune', "GPU: time cuDNN's engines at their first use and keep the fastest"),
  nondeterministic: onOff('--nondeterministic', 'GPU: allow engines that do not repeat their bytes'),
  'workspace-limit': optional('--workspace-limit <MiB>', 'GPU: most scratch memory of one engine', naturalNumber),
  precision: choice('--precision <type>', precisionHelp, precisionWords, 'f32'),
  memory: choice('--memory <use>', 'low: compute cheap activations twice in training instead of keeping them', memories, 'normal'),
  'eval-batch-size': optional('--eval-batch-size <n>', 'images an evaluation step (default: --batch-size)', positiveInteger),

  opt: choice('--opt <name>', 'optimizer', ['sgd', 'sgd_nesterov', 'adamw'], 'sgd_nesterov'),
  lr: optional('--lr <rate>', 'highest learning rate (default: 0.1, with adamw 0.001)', positiveNumber),
  momentum: value('--momentum <factor>', 'of sgd', belowOne, 0.9),
  'weight-decay': value('--wd, --weight-decay <factor>', 'weight decay', weight, 5e-4),
  'norm-weight-decay': optional('--norm-weight-decay <factor>', 'of batch norms (default: --weight-decay)', weight),
  'bias-weight-decay': optional('--bias-weight-decay <factor>', 'of biases (default: --weight-decay)', weight),

  'lr-scheduler': choice('--lr-scheduler <name>', 'how the learning rate falls', schedulers, 'cosineannealinglr'),
  'lr-step-size': value('--lr-step-size <epochs>', 'steplr: times --lr-gamma after so many epochs, again and again', positiveInteger, 30),
  'lr-milestones': optional('--lr-milestones <epochs>', 'multisteplr: times --lr-gamma after these epochs, such as 82,123', epochList),
  'lr-gamma': value('--lr-gamma <factor>', 'of steplr, multisteplr, and of exponentiallr for every epoch', gamma, 0.1),
  'lr-min': value('--lr-min <rate>', 'cosineannealinglr: the rate at the end', weight, 0),
  'lr-power': value('--lr-power <power>', 'polylr: 1 is a straight line to 0', positiveNumber, 1),
  'lr-warmup-epochs': optional('--lr-warmup-epochs <n>', 'epochs with lower rates at the start (default: 1, at most a quarter of all)', weight),
  'lr-warmup-method': choice('--lr-warmup-method <name>', 'rising, or low all the time', ['linear', 'constant'], 'linear'),
  'lr-warmup-decay': value('--lr-warmup-decay <factor>', 'share of the rate at the very start', share, 0.01),

  mixup: value('--mixup <alpha>', "mix every image with another, shares by Beta(alpha, alpha), such as 0.2; the training's accuracy then counts the larger share", weight, 0),
  cutmix: value('--cutmix <alpha>', 'put a box of another image into every image, areas by Beta(alpha, alpha), such as 1; with --mixup: one of the two, by chance', weight, 0),
  'label-smoothing': value('--label-smoothing <share>', 'label smoothing', belowOne, 0),
  'clip-grad-norm': optional('--clip-grad-norm <norm>', 'scale the gradient down to this norm where it is larger', positiveNumber),
  accumulate: value('--accumulate <n>', 'batches a step: their gradients are averaged', positiveInteger, 1),
  'model-ema': onOff('--model-ema', 'keep a moving average of the weights and evaluate it'),
  'model-ema-decay': value('--model-ema-decay <factor>', 'of the moving average, a step', belowOne, 0.999),

  erase: optional('--erase <which>', 'erase a ReLU of each block: last, first, middle or an index from 0 (default: none)', location),
  'erase-proportion': value('--erase-proportion <share>', 'share of the blocks in which it is erased, 0 to 1', share, 1),
  'erase-select': choice('--erase-select <which>', 'which blocks, when not all', ['even', 'first', 'last'], 'even'),
  'keep-final': onOff('--keep-final', 'keep the ReLU before the final pooling'),
  'allow-linear': onOff('--allow-linear', 'allow a block to be left without any ReLU'),

  'checkpoint-seconds': value('--checkpoint-seconds <s>', 'write a checkpoint after so much time, and after every epoch', weight, 60),
  'keep-checkpoints': value('--keep-checkpoints <n>', 'newest checkpoints that are kept, beside the best', positiveInteger, 3),
} // prettier-ignore

type Table = typeof table
export type SettingKey = keyof Table
export type Settings = { readonly [Key in SettingKey]: Table[Key] extends Setting<infer T> ? T : never }
export type GivenSettings = Partial<Settings>

export const settingKeys = Object.keys(table) as SettingKey[]

/** With a precision that 'auto' no longer leaves open. */
export type Named<Given extends GivenSettings> = Given & { readonly precision?: Precision }

export const defaults = Object.fromEntries(settingKeys.map(key => [key, table[key].fallback])) as Named<Settings>

/** With the settings whose default depends on others. */
export type CompleteSettings = Named<Settings> & { readonly lr: number; readonly 'lr-warmup-epochs': number }

export function complete(settings: Named<Settings>): CompleteSettings {
  const { opt, epochs, lr = opt === 'adamw' ? 0.001 : 0.1, 'lr-warmup-epochs': warmup = Math.min(1, epochs / 4) } = settings
  return { ...settings, lr, 'lr-warmup-epochs': warmup }
}

/** What a YAML file holds for this key, as the setting's value; null: not set, where that is possible. Throws InvalidArgumentError. */
export function readSetting(key: SettingKey, given: unknown): unknown {
  const { fallback, read }: Setting<unknown> = table[key]
  return given === null && fallback === undefined ? undefined : read(given)
}

/** Its flag, for help, completion and parsing. What was not given has no value, so that it can be told apart. */
export function optionOf(key: SettingKey): Option {
  const { flags, about, fallback, read, choices }: Setting<unknown> = table[key]
  const shown = ['string', 'number'].includes(typeof fallback) ? ` (default: ${String(fallback)})` : ''
  const option = new Option(flags, about + shown)
  if (choices) option.choices(choices)
  return typeof fallback === 'boolean' ? option : option.argParser(read)
}

/** Adds their flags to a command. */
export function addSettings(command: Command, keys: readonly SettingKey[]): Command {
  for (const key of keys) command.addOption(optionOf(key))
  return command
}

/** Those that were given, from the flags as commander read them. */
export function givenSettings(keys: readonly SettingKey[], flags: object): GivenSettings {
  const values = new Map<string, unknown>(Object.entries(flags))
  const given = keys.map(key => [key, values.get(optionOf(key).attributeName())] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given : JSON.stringify(given)
}

/** '82,123', or [82, 123] from a YAML file. */
function epochList(given: string): number[] {
  return milestones(given.replace(/^\[(.*)\]$/, '$1'))
}

/** '0.4' for all three, '0.4,0.4,0.2', or such a list from a YAML file. */
function strengths(given: string): [number, number, number] {
  const numbers = given
    .replace(/^\[(.*)\]$/, '$1')
    .split(',')
    .map(share)
  if (numbers.length === 1) return [numbers[0]!, numbers[0]!, numbers[0]!]
  if (numbers.length === 3) return numbers as [number, number, number]
  throw new InvalidArgumentError('It must be one number from 0 to 1, or three of them: brightness,contrast,saturation.')
}

function mapping(given: unknown): Record<string, unknown> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Record<string, unknown>
  throw new InvalidArgumentError('It must map names to values, such as { shortcut: B }.')
}
