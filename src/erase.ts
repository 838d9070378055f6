/**
 * EraseReLU (arXiv 1709.07634): in basic modules of a network, one ReLU becomes the identity. Two things are chosen: which
 * ReLU of a module (`location`) and how many of the modules (`proportion`); the paper recommends the last ReLU of all.
 * Nothing is added or removed: parameters, names and checkpoints stay the same.
 */
import { EraseReport, type EraseEntry, type ReLUCounts } from './erase_report.js'
import { BasicModule } from './nn/basic_module.js'
import { ReLU } from './nn/layers/relu.js'
import { Module } from './nn/module.js'
import { InvalidArgument } from './runtime/errors.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireNumber, requireOneOf } from './runtime/options.js'

export { EraseReport, type EraseEntry, type ReLUCounts }

/** Options of `eraseReLU`. The defaults are what the paper recommends. */
export interface EraseOptions {
  /** Which ReLU of each chain: by name or by index from 0; default 'last'. `middle`: neither first nor last, the lower of two. */
  location?: 'last' | 'first' | 'middle' | number
  /** Share of the basic modules that is treated, 0…1, default 1; 0 restores the untouched model. */
  proportion?: number
  /** Which modules are treated when not all are: evenly spread (default), the first, or the last ones. */
  select?: 'even' | 'first' | 'last'
  /** Keep the final ReLU of the last module, so that what is pooled is rectified; the module still counts as treated. Default false. */
  keepFinal?: boolean
  /** Allow a treated module to be left without any ReLU. Default false. */
  allowLinear?: boolean
}

/** Checked options, defaults filled in. */
export type EraseRule = Required<EraseOptions>

interface Block {
  readonly path: string
  readonly module: BasicModule
  readonly chains: ReLU[][]
}

/**
 * Sets which ReLUs of the model are erased, and says so in a report. A call sets the whole state: calls do not add up.
 * Modules are numbered in the order in which the model declares them (its fields, from the first to the last). Call it before
 * the model is compiled or trained. Throws InvalidArgument, and changes nothing, where the model has no basic modules, none has
 * a ReLU at the location, or a module would be left without any.
 */
export function eraseReLU(model: Module, options: EraseOptions = {}): EraseReport {
  if (!(model instanceof Module)) {
    throw new InvalidArgument(
      'eraseReLU: the model must be a Module: one from models.create(), or a class of your own that extends Module',
    )
  }
  const rule = checkedRule(options)
  const relus = new Map<ReLU, string>()
  for (const [path, module] of model.namedModules()) if (module instanceof ReLU) relus.set(module, path)
  const blocks = blocksOf(model, relus)
  if (!blocks.some(({ chains }) => chains.some(chain => pick(chain, rule.location)))) {
    throw new InvalidArgument(
      `eraseReLU: no basic module has a ReLU at location ${String(rule.location)}: the longest chain has ` +
        `${Math.max(...blocks.flatMap(({ chains }) => chains.map(chain => chain.length)), 0)} ReLUs`,
    )
  }

  const treated = treatedModules(blocks.length, rule)
  const entries = new Map<ReLU, EraseEntry>()
  for (const [relu, name] of relus) entries.set(relu, { name, module: '', erased: false, reason: 'outside any basic module' })
  blocks.forEach((block, index) => {
    for (const { relu, ...entry } of verdicts(block, rule, treated.includes(index), index === blocks.length - 1)) {
      entries.set(relu, { name: relus.get(relu)!, module: block.path, ...entry })
    }
  })
  if (!rule.allowLinear) refuseLinear(blocks, entries, rule)

  for (const [relu, { erased }] of entries) relu.erased = erased
  return new EraseReport(rule, blocks.length, treated, [...entries.values()])
}

function checkedRule(options: EraseOptions): EraseRule {
  const where = 'eraseReLU'
  requireKnownOptions(where, options, ['location', 'proportion', 'select', 'keepFinal', 'allowLinear'])
  const { location = 'last', proportion = 1, select = 'even', keepFinal = false, allowLinear = false } = options
  if (typeof location === 'number') requireInteger(where, 'location', location, 0)
  else requireOneOf(where, 'location', location, ['last', 'first', 'middle'])
  requireNumber(where, 'proportion', proportion, 'in [0, 1]', value => value >= 0 && value <= 1)
  requireOneOf(where, 'select', select, ['even', 'first', 'last'])
  requireBoolean(where, 'keepFinal', keepFinal)
  requireBoolean(where, 'allowLinear', allowLinear)
  return { location, proportion, select, keepFinal, allowLinear }
}

/** The basic modules in order, checked: not nested, and every ReLU of a chain is the model's and in one chain only. */
function blocksOf(model: Module, relus: ReadonlyMap<ReLU, string>): Block[] {
  const blocks: Block[] = []
  const owner = new Map<ReLU, string>()
  const blockAround = new Map<Module, string>()
  for (const [path, module] of model.namedModules()) {
    if (!(module instanceof BasicModule)) continue
    const name = path || module.constructor.name
    const outer = blockAround.get(module)
    if (outer !== undefined)
      throw new InvalidArgument(`eraseReLU: basic module '${name}' lies inside basic module '${outer}'; they must not be nested`)
    for (const [, inner] of module.namedModules()) blockAround.set(inner, name)
    const chains = module.chains()
    for (const relu of chains.flat()) {
      if (!relus.has(relu))
        throw new InvalidArgument(`eraseReLU: chains() of '${name}' lists a ReLU that no field of the model leads to`)
      const other = owner.get(relu)
      if (other !== undefined) {
        throw new InvalidArgument(
          `eraseReLU: ReLU '${relus.get(relu)}' is listed twice, by '${other}' and '${name}': give every activation a ReLU of its own`,
        )
      }
      owner.set(relu, name)
    }
    blocks.push({ path: name, module, chains })
  }
  if (blocks.length === 0) {
    throw new InvalidArgument(
      `eraseReLU: ${model.constructor.name} has no basic module: let its blocks extend nn.BasicModule and list their ReLUs in chains()`,
    )
  }
  return blocks
}

function pick(chain: readonly ReLU[], location: EraseRule['location']): ReLU | undefined {
  if (location === 'first') return chain[0]
  if (location === 'last') return chain.at(-1)
  if (location === 'middle') return chain.length < 3 ? undefined : chain[Math.floor((chain.length - 1) / 2)]
  return chain[location]
}

/** k = floor(p·n + ½) of the n modules, by number. */
function treatedModules(n: number, { proportion, select }: EraseRule): number[] {
  const k = Math.floor(proportion * n + 0.5)
  const isTreated = {
    even: (i: number) => Math.floor(((i + 1) * k) / n) > Math.floor((i * k) / n),
    first: (i: number) => i < k,
    last: (i: number) => i >= n - k,
  }[select]
  return Array.from({ length: n }, (_, i) => i).filter(isTreated)
}

/** What happens to each ReLU of a block, and why. */
function* verdicts(block: Block, rule: EraseRule, treated: boolean, isLast: boolean) {
  const chained = new Set(block.chains.flat())
  for (const chain of block.chains) {
    const asked = pick(chain, rule.location)
    for (const relu of chain) {
      const kept = (reason: string) => ({ relu, erased: false, reason })
      if (!treated) yield kept('module not selected')
      else if (!asked) yield kept(`chain of ${chain.length} has no ReLU at location ${String(rule.location)}`)
      else if (relu !== asked) yield kept('another location')
      else if (rule.keepFinal && isLast && relu === chain.at(-1)) yield kept('final ReLU of the last module (keepFinal)')
      else
        yield {
          relu,
          erased: true,
          reason: typeof rule.location === 'number' ? `number ${rule.location} of its chain` : `${rule.location} of its chain`,
        }
    }
  }
  for (const [, module] of block.module.namedModules()) {
    if (module instanceof ReLU && !chained.has(module)) yield { relu: module, erased: false, reason: 'in no chain of its module' }
  }
}

function refuseLinear(blocks: readonly Block[], entries: ReadonlyMap<ReLU, EraseEntry>, rule: EraseRule): void {
  for (const { path, chains } of blocks) {
    const relus = chains.flat()
    if (relus.length === 0 || !relus.every(relu => entries.get(relu)!.erased)) continue
    throw new InvalidArgument(
      `eraseReLU: erasing location ${String(rule.location)} would leave basic module '${path}' without any ReLU. Choose another location, ` +
        `make a module of more layers, or pass allowLinear: true (with a proportion below 1 the network stays non-linear).`,
    )
  }
}
