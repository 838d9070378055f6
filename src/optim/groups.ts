/** Parameter groups: which learning rate and weight decay each parameter has. */
import type { Parameter } from '../graph/parameter.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireKnownOptions, requireList, requireNumber } from '../runtime/options.js'
import type { Optimizer } from './optimizers.js'

/** An exception for the parameters whose name, 'layer1.0.conv1.weight', matches. */
export interface GroupRule {
  /** Found somewhere in the parameter's name, or true for it: /^fc\./, name => name.endsWith('bias'). */
  match: RegExp | ((name: string) => boolean)
  /** Instead of the optimizer's; the schedule applies to it just the same. 0 keeps the weights but not the cost: rather freeze them. */
  lr?: number
  /** Instead of the optimizer's, whatever the parameter's role. */
  weightDecay?: number
}

/** Parameters with the same learning rate and weight decay. */
export interface Group {
  /** The group's learning rate as a multiple of the optimizer's. */
  readonly lrScale: number
  /** Times the weight, added to the gradient (sgd) or taken from the weight (adamw). */
  readonly weightDecay: number
}

/** The trained parameters in groups. */
export interface Grouping {
  /** At most 16. */
  readonly groups: readonly Group[]
  /** The number of its group, for each parameter. */
  readonly groupIndex: readonly number[]
}

/** How many groups a plan holds: kMaxGroups in native/plan/step_params.h. */
const MAX_GROUPS = 16

export function checkedRules(where: string, rules: readonly GroupRule[]): readonly GroupRule[] {
  requireList(where, 'groups', rules, '{ match, lr?, weightDecay? }')
  rules.forEach((rule, index) => {
    const here = `${where}: groups[${index}]`
    requireKnownOptions(here, rule, ['match', 'lr', 'weightDecay'])
    if (!(rule.match instanceof RegExp) && typeof rule.match !== 'function') {
      throw new InvalidArgument(
        `${here}: match must be a regular expression or a function of the parameter's name, got ${String(rule.match)}`,
      )
    }
    if (rule.lr === undefined && rule.weightDecay === undefined)
      throw new InvalidArgument(`${here}: give lr, weightDecay or both`)
    if (rule.lr !== undefined) requireNumber(here, 'lr', rule.lr, 'of at least 0', value => value >= 0)
    if (rule.weightDecay !== undefined) requireNumber(here, 'weightDecay', rule.weightDecay, 'of at least 0', value => value >= 0)
  })
  return rules
}

/** The groups of the trained parameters, numbered in the order in which the parameters first need them. */
export function groupsOf(optimizer: Optimizer, parameters: readonly Parameter[]): Grouping {
  const unused = new Set(optimizer.groups)
  const groups: Group[] = []
  const groupIndex = parameters.map(parameter => {
    const rule = optimizer.groups.find(({ match }) => matches(match, parameter.name))
    if (rule) unused.delete(rule)
    const lrScale = rule?.lr === undefined ? 1 : rule.lr / optimizer.lr
    const weightDecay = rule?.weightDecay ?? decayOf(optimizer, parameter)
    const known = groups.findIndex(group => group.lrScale === lrScale && group.weightDecay === weightDecay)
    return known >= 0 ? known : groups.push({ lrScale, weightDecay }) - 1
  })
  const [idle] = unused
  if (idle) {
    const examples = parameters.slice(0, 3).map(({ name }) => name)
    throw new InvalidArgument(
      `optim: groups[${optimizer.groups.indexOf(idle)}] (match ${String(idle.match)}) decides about no trained parameter: none matches, ` +
        `or earlier rules match all of them. Names look like ${examples.join(', ')}.`,
    )
  }
  if (groups.length > MAX_GROUPS) {
    throw new InvalidArgument(
      `optim: the rules make ${groups.length} groups of learning rate and weight decay; at most ${MAX_GROUPS} are possible`,
    )
  }
  return { groups, groupIndex }
}

function matches(match: GroupRule['match'], name: string): boolean {
  return match instanceof RegExp ? name.search(match) >= 0 : match(name)
}

function decayOf({ weightDecay, normWeightDecay, biasWeightDecay }: Optimizer, { role }: Parameter): number {
  return role === 'norm' ? normWeightDecay : role === 'bias' ? biasWeightDecay : weightDecay
}
