/** The update section of a training plan: gradient norm, running statistics, optimizer, moving average. */
import type { Graph } from '../graph/graph.js'
import type { Parameter } from '../graph/parameter.js'
import { lower } from '../graph/passes/lower.js'
import type { FlatGradient } from '../graph/serialise.js'
import type { Tensor } from '../graph/tensor.js'
import type { Ema, Grouping, Optimizer } from '../optim/index.js'
import type { ArenaName } from '../runtime/store.js'
import type { StoreLayout } from '../runtime/store_layout.js'

/** A stretch of one of the store's arenas as a tensor. */
export type ArenaPart = (name: ArenaName, offset: number, elements: number) => Tensor

export interface UpdateOptions {
  readonly layout: StoreLayout<Parameter>
  readonly state: Tensor
  readonly arena: ArenaPart
  /** The sum of a tensor over the microbatches of a step. */
  readonly total: (x: Tensor) => Tensor
  readonly optimizer: Optimizer
  readonly grouping: Grouping
  readonly ema: Ema | undefined
  /** Largest gradient norm; 0: no clipping. */
  readonly clipGradNorm: number
}

/**
 * Adds the nodes; returns the flat gradients that they read, one for each stretch of the store whose gradients have one type.
 */
export function addUpdate(graph: Graph, options: UpdateOptions): FlatGradient[] {
  const { layout, state, arena, total, optimizer, grouping, ema, clipGradNorm } = options
  const runs = layout.runs(parameter => graph.gradients.get(parameter)?.dtype)
  const gradients = runs.map(({ key: dtype, offset, size }) => ({
    offset,
    tensor: graph.tensor({ dtype, shape: [size] }, 'gradient'),
  }))
  const totals = gradients.map(({ tensor }) => total(tensor))
  const numbered = Object.fromEntries(totals.map((gradient, i) => [`gradient${i}`, gradient]))
  const loss = graph.outputs.get('loss')
  graph.add('gradNorm', 'update', { loss, state, ...numbered }, { maxNorm: clipGradNorm }, { state }, 'update')

  // Running statistics wait for the finite flag that gradNorm writes.
  lower(graph, { state, layout })
  const weightDecay = grouping.groups.map(group => group.weightDecay)
  const groupOf = new Map(layout.trained.map((parameter, i) => [parameter, grouping.groupIndex[i]!]))
  runs.forEach(({ offset, size, parameters }, i) => {
    const groups = { ranges: rangesOf(parameters, groupOf), weightDecay }
    addOptimizer(graph, optimizer, groups, { gradient: totals[i]!, state, part: name => arena(name, offset, size) })
  })

  if (ema) {
    const [weights, average] = [arena('weights', 0, layout.size), arena('ema', 0, layout.size)]
    graph.add('emaUpdate', 'update', { weights, state, ema: average }, { decay: ema.decay }, { ema: average }, 'update')
  }
  return gradients
}

/** Triples of offset, count and group, the offsets from the first of these parameters. */
function rangesOf(parameters: readonly Parameter[], groupOf: ReadonlyMap<Parameter, number>): number[] {
  const ranges: number[] = []
  let offset = 0
  for (const parameter of parameters) {
    const group = groupOf.get(parameter)!
    if (ranges.at(-1) === group) ranges[ranges.length - 2]! += parameter.size
    else ranges.push(offset, parameter.size, group)
    offset += parameter.size
  }
  return ranges
}

/** Updates the stretch of the store that one flat gradient belongs to; `part` is that stretch of an arena. */
function addOptimizer(
  graph: Graph,
  optimizer: Optimizer,
  groups: { ranges: readonly number[]; weightDecay: readonly number[] },
  { gradient, state, part }: { gradient: Tensor; state: Tensor; part: (name: ArenaName) => Tensor },
): void {
  const weights = part('weights')
  if (optimizer.kind === 'sgd') {
    const { momentum, dampening, nesterov } = optimizer
    const velocity = momentum > 0 ? part('velocity') : undefined
    const attributes = { momentum, dampening, nesterov: nesterov ? 1 : 0, ...groups }
    const writes = { weights, ...(velocity && { velocity }) }
    graph.add('sgdUpdate', 'update', { gradient, state, weights, velocity }, attributes, writes, 'update')
  } else {
    const [m, v] = [part('m'), part('v')]
    const [beta1, beta2] = optimizer.betas
    const attributes = { beta1, beta2, epsilon: optimizer.eps, ...groups }
    graph.add('adamwUpdate', 'update', { gradient, state, weights, m, v }, attributes, { weights, m, v }, 'update')
  }
}
