/** The training step as one plan: input, model, loss, backward pass, update. And its evaluation twin. */
import { crossEntropyWithCounts, reshape, type CrossEntropy } from '../graph/functions.js'
import type { Graph } from '../graph/graph.js'
import { differentiate } from '../graph/autodiff.js'
import type { Parameter } from '../graph/parameter.js'
import { activationType, scalesLoss, type Precision } from '../graph/precision.js'
import { passSwitch, type PassName } from '../graph/passes/optional.js'
import { removeDeadCode } from '../graph/passes/dead_code.js'
import { fuseAddend } from '../graph/passes/fuse_addend.js'
import { fuse } from '../graph/passes/fuse.js'
import { ownGradients } from '../graph/passes/own_gradients.js'
import { placeConcats } from '../graph/passes/place_concats.js'
import { placeGradients } from '../graph/passes/place_gradients.js'
import { recompute, type Memory } from '../graph/passes/recompute.js'
import { usePrecision } from '../graph/passes/precision.js'
import { tile } from '../graph/passes/tile.js'
import { serialise } from '../graph/serialise.js'
import { f32, formatShape, Tensor } from '../graph/tensor.js'
import { Trace, withTrace } from '../graph/trace.js'
import type { Module } from '../nn/module.js'
import { groupsOf, type Ema, type Grouping, type Optimizer } from '../optim/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { policyOf, type EngineChoices, type EngineOptions } from '../runtime/policy.js'
import type { PlanDesc } from '../runtime/plan_desc.js'
import { state as stateIndex, type ArenaName } from '../runtime/store.js'
import type { StoreLayout } from '../runtime/store_layout.js'
import type { Feed, TracedBatch } from './feed.js'
import { compareMemory, type LowMemory } from './low_memory.js'
import { addUpdate, type ArenaPart } from './update_section.js'

/** A loss of the caller's own: one number, from the model's outputs and the batch. */
export type Loss = (outputs: Tensor, batch: TracedBatch) => Tensor

export interface StepOptions {
  readonly model: Module
  readonly layout: StoreLayout<Parameter>
  readonly device: string
  /** Default: none. */
  readonly disabledPasses?: readonly PassName[]
  readonly engines?: EngineOptions | undefined
  /** The engines that an earlier run took under autotune. */
  readonly choices?: EngineChoices | undefined
  readonly checked: boolean
  readonly numClasses: number
  readonly loss: Loss | undefined
  readonly labelSmoothing: number
  /** Default 'f32'. */
  readonly precision?: Precision
}

export interface TrainingOptions extends StepOptions {
  readonly optimizer: Optimizer
  readonly ema: Ema | undefined
  /** Microbatches a step. */
  readonly accumulate: number
  /** Largest gradient norm; 0: no clipping. */
  readonly clipGradNorm: number
  /** Default 'normal'. */
  readonly memory?: Memory
}

/** The store's arenas that a training needs, with their sizes. */
export function arenasFor(layout: StoreLayout, optimizer: Optimizer, ema: Ema | undefined): Partial<Record<ArenaName, number>> {
  const { size, trainedSize } = layout
  return {
    weights: size,
    state: stateIndex.size,
    ...(ema && { ema: size }),
    ...(optimizer.kind === 'adamw'
      ? { m: trainedSize, v: trainedSize }
      : optimizer.momentum > 0
        ? { velocity: trainedSize }
        : {}),
  }
}

export interface TrainingPlan {
  readonly desc: PlanDesc
  readonly grouping: Grouping
  /** What memory 'low' gives and costs; undefined with memory 'normal'. */
  readonly low: LowMemory | undefined
}

export function trainingPlan(feed: Feed, options: TrainingOptions): TrainingPlan {
  const { layout, device, checked, engines, choices, precision = 'f32' } = options
  const { accumulate, clipGradNorm, optimizer, ema, memory = 'normal' } = options
  const runs = passSwitch(options)
  const trace = new Trace(true)
  const { graph } = trace
  const { loss, metrics } = withTrace(trace, () => traceStep(feed, options))

  const arena: ArenaPart = (name, offset, elements) => graph.source(f32([elements]), name, { kind: 'arena', arena: name, offset })
  const state = arena('state', 0, stateIndex.size)

  if (runs('fuse')) fuse(graph, new Set(Object.values(metrics)))
  differentiate(graph, loss, layout.trained, scalesLoss(precision) ? lossScale(graph, state) : undefined)
  ownGradients(graph)
  if (runs('fuse')) fuseAddend(graph)
  for (const [name, tensor] of Object.entries(metrics)) graph.outputs.set(name, tensor)
  usePrecision(graph, { type: activationType(precision), layout, parameters: 'weights' })

  const total = accumulator(graph, accumulate)
  for (const [name, tensor] of graph.outputs) graph.outputs.set(name, total(tensor))
  const grouping = groupsOf(optimizer, layout.trained)
  const gradients = addUpdate(graph, { layout, state, arena, total, optimizer, grouping, ema, clipGradNorm })
  graph.outputs.set('state', state)

  removeDeadCode(graph, new Set())
  if (runs('place-concats')) placeConcats(graph)
  const whole = runs('place-concats') ? placeGradients(graph, device) : undefined
  const kept = { gradients, wholeStep: total.totals }
  const policy = policyOf(engines, { tf32: precision === 'tf32', ownConvolutions: runs('own-convolutions'), choices })
  const planned = (use: Memory): PlanDesc => {
    const again = runs('recompute') ? recompute(graph, use) : undefined
    const regions = runs('tile') ? tile(graph.nodes, device, again, whole) : []
    const chunkMemory = runs('chunk-memory')
    return serialise(graph, { device, checked, policy, layout, parameters: 'weights', regions, chunkMemory, ...kept })
  }
  if (memory === 'normal') return { desc: planned(memory), grouping, low: undefined }
  // Both from the same trace: recomputation changes nodes, of which it gets copies.
  const copies = graph.nodes.map(node => ({ ...node }))
  const normally = planned('normal')
  graph.nodes.splice(0, Infinity, ...copies)
  const desc = planned(memory)
  return { desc, grouping, low: compareMemory(desc, normally) }
}

export function evaluationPlan(feed: Feed, options: StepOptions, parameters: 'weights' | 'ema'): PlanDesc {
  const { layout, device, engines, choices, precision = 'f32' } = options
  const runs = passSwitch({ ...options, checked: false })
  const trace = new Trace(false)
  const { graph } = trace
  const { metrics } = withTrace(trace, () => traceStep(feed, options))
  for (const [name, tensor] of Object.entries(metrics)) graph.outputs.set(name, tensor)
  if (runs('fuse')) fuse(graph, new Set(Object.values(metrics)))
  usePrecision(graph, { type: activationType(precision), layout, parameters })
  removeDeadCode(graph, new Set())
  if (runs('place-concats')) placeConcats(graph)
  const regions = runs('tile') ? tile(graph.nodes, device) : []
  const policy = policyOf(engines, { tf32: precision === 'tf32', ownConvolutions: runs('own-convolutions'), choices })
  return serialise(graph, {
    device,
    checked: false,
    policy,
    layout,
    parameters,
    regions,
    chunkMemory: runs('chunk-memory'),
    wholeStep: new Set(),
  })
}

/** The number that the loss is multiplied with before the backward pass: a part of the update state. */
function lossScale(graph: Graph, state: Tensor): Tensor {
  const scale = graph.tensor(f32([1]), 'loss scale')
  graph.parts.set(scale, { of: state, offset: stateIndex.lossScale })
  return scale
}

interface Metrics {
  loss: Tensor
  correct1?: Tensor
  correct5?: Tensor
  count?: Tensor
}

function traceStep(feed: Feed, options: StepOptions): { loss: Tensor; metrics: Metrics & Record<string, Tensor> } {
  const batch = feed.trace()
  const outputs = options.model(batch.images)
  const counts = countsOf(outputs, batch, options)
  const loss = options.loss ? ownLoss(options.loss, outputs, batch) : counts?.loss
  if (!loss) {
    throw new InvalidArgument(
      `the model returns ${formatShape(outputs.shape)}, but the data has ${options.numClasses} classes: it must return [N, ${options.numClasses}], or give the trainer a loss of your own`,
    )
  }
  return { loss, metrics: { ...counts, loss } }
}

/** The caller's loss as [1], whatever its rank: mean() and sum() keep reduced dimensions as 1. */
function ownLoss(loss: Loss, outputs: Tensor, batch: TracedBatch): Tensor {
  const tensor = loss(outputs, batch)
  if (!(tensor instanceof Tensor))
    throw new InvalidArgument(`Trainer: loss must return a Tensor of one number, got ${typeof tensor}`)
  return tensor.size === 1 ? reshape(tensor, [1]) : tensor
}

/** Cross-entropy and counts of correct answers, where the outputs are class scores. */
function countsOf(
  outputs: Tensor,
  { labels, mix }: TracedBatch,
  { numClasses, labelSmoothing }: StepOptions,
): CrossEntropy | undefined {
  if (outputs.shape.length !== 2 || outputs.shape[1] !== numClasses) return undefined
  return crossEntropyWithCounts(outputs, labels, { labelSmoothing, ...(mix && { mix }) })
}

/** Adds tensors up over the microbatches of a step; with one microbatch, leaves them as they are. */
function accumulator(graph: Graph, accumulate: number) {
  const totals = new Set<Tensor>()
  const totalOf = new Map<Tensor, Tensor>()
  const total = (x: Tensor): Tensor => {
    if (accumulate === 1) return x
    let sum = totalOf.get(x)
    if (!sum) {
      sum = graph.tensor(f32(x.shape), `${x.name} total`)
      graph.add('sum', x.name, { x, total: sum }, {}, { total: sum })
      totals.add(sum)
      totalOf.set(x, sum)
    }
    return sum
  }
  return Object.assign(total, { totals })
}
