/** Models by name: `models.create('resnet20', { numClasses: 100 })`. */
import { initialize, unfilled } from '../nn/init.js'
import { InvalidArgument } from '../runtime/errors.js'
import { didYouMean } from '../runtime/suggest.js'
import type { Classifier } from './classifier.js'
import { families, namedModels } from './families.js'

/** Options of a model; it rejects those it does not have. */
export interface ModelOptions {
  /** Of the initial weights: the same seed gives the same weights. Default 0. */
  seed?: number
  /** Classes to tell apart; default 10, of networks for large images 1000. */
  numClasses?: number
  /** Channels of an image; default 3. */
  inChannels?: number
  /** Options of that model. */
  [other: string]: unknown
}

/** Makes a model from its options; throws InvalidArgument for options it does not have. */
export type ModelFactory = (options: Readonly<Record<string, unknown>>) => Classifier

const factories = new Map<string, ModelFactory>(namedModels)

/** A new model with initial weights. Some names have numbers of your choice: 'wrn_22_2', 'densenet_bc_40_36'. */
export function create(name: string, options: ModelOptions = {}): Classifier {
  const { seed = 0, ...rest } = options
  return initialize(build(name, rest), seed)
}

/** A new model whose weights are still to be filled; for those who only look at it. */
export function build(name: string, options: Omit<ModelOptions, 'seed'> = {}): Classifier {
  const factory = factories.get(name) ?? factoryOfFamily(name)
  if (!factory) {
    const forms = families.map(({ form }) => form).join(', ')
    throw new InvalidArgument(
      `models: no model is called '${name}'.${didYouMean(name, list())} Known: ${list().join(', ')}; and with numbers of your choice ${forms}.`,
    )
  }
  return unfilled(() => factory(options))
}

function factoryOfFamily(name: string): ModelFactory | undefined {
  for (const { pattern, make } of families) {
    const numbers = pattern.exec(name)?.slice(1).map(Number)
    if (numbers) return options => make(numbers, options)
  }
  return undefined
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
