/** Models by name: `models.create('resnet20', { numClasses: 100 })`. */
import { initialize, unfilled } from '../nn/init.js'
import { InvalidArgument } from '../runtime/errors.js'
import { didYouMean } from '../runtime/suggest.js'
import type { Classifier } from './classifier.js'
import { ResNet } from './resnet.js'
import { CifarResNet, type CifarResNetOptions } from './resnet_cifar.js'

/** Options of all models; a model rejects those it does not have. */
export interface ModelOptions extends CifarResNetOptions {
  /** Of the initial weights: the same seed gives the same weights. Default 0. */
  seed?: number
  /** Options of registered models. */
  [other: string]: unknown
}

export type ModelFactory = (options: Readonly<Record<string, unknown>>) => Classifier

const factories = new Map<string, ModelFactory>()
for (const depth of [20, 32, 44, 56, 110]) factories.set(`resnet${depth}`, options => new CifarResNet(depth, options))
for (const depth of [18, 34, 50] as const) factories.set(`resnet${depth}`, options => new ResNet(depth, options))

/** A new model with initial weights. */
export function create(name: string, options: ModelOptions = {}): Classifier {
  const factory = factories.get(name)
  if (!factory)
    throw new InvalidArgument(`models: no model is called '${name}'.${didYouMean(name, list())} Known: ${list().join(', ')}.`)
  const { seed = 0, ...rest } = options
  return initialize(
    unfilled(() => factory(rest)),
    seed,
  )
}

/** The names of all models, or of those that match: `list('resnet1*')`. `*` stands for any characters. */
export function list(pattern = '*'): string[] {
  const parts = pattern.split('*').map(part => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`))
  const matcher = new RegExp(`^${parts.join('.*')}$`)
  return [...factories.keys()].filter(name => matcher.test(name)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** Adds a model, for `create` and the command line. */
export function register(name: string, factory: ModelFactory): void {
  if (!/^[\w.-]+$/.test(name))
    throw new InvalidArgument(`models.register: a name has letters, digits, '_', '-' and '.', got '${name}'`)
  if (factories.has(name)) throw new InvalidArgument(`models.register: there is a model called '${name}' already`)
  factories.set(name, factory)
}
