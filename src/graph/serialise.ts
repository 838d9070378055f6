/**
 * From a finished graph to the description of a plan: numbers tensors and says where each one lives. Views (reshape, the
 * parts of the flat gradient and of the flat statistics) become offsets into other tensors and cost nothing.
 */
import { Internal } from '../runtime/errors.js'
import type { NodeEntry, PlanDesc, TensorEntry } from '../runtime/plan_desc.js'
import { policyOf, type Policy } from '../runtime/policy.js'
import type { StoreLayout } from '../runtime/store_layout.js'
import { operandsOf, type Graph, type Node, type Part } from './graph.js'
import type { Region } from './passes/tile.js'
import type { Tensor } from './tensor.js'
import { operandNames } from './vocabulary.js'

export interface SerialiseOptions {
  readonly device: string
  readonly checked: boolean
  /** Default: that of policyOf. */
  readonly policy?: Policy
  readonly layout: StoreLayout
  /** Which copy of the parameters the plan reads: the weights, or their moving average. */
  readonly parameters: 'weights' | 'ema'
  readonly regions: readonly Region[]
  /** Whether tensors that live within one region take memory for a chunk of it. Default true. */
  readonly chunkMemory?: boolean
  /** The flat gradients that the parameters' gradients are parts of (training plans). */
  readonly gradients?: readonly FlatGradient[]
  /** Tensors that keep their values until the end of the step: totals over microbatches. */
  readonly wholeStep: ReadonlySet<Tensor>
}

/** The gradients of parameters that lie one behind the other in the store, as one tensor. */
export interface FlatGradient {
  readonly tensor: Tensor
  /** Of its first element in the store's arenas. */
  readonly offset: number
}

export function serialise(graph: Graph, options: SerialiseOptions): PlanDesc {
  const numbers = new Map<Tensor, number>()
  const entries: TensorEntry[] = []
  const views = viewsOf(graph, options)

  const numberOf = (tensor: Tensor): number => {
    const known = numbers.get(tensor)
    if (known !== undefined) return known
    const entry = entryOf(tensor)
    numbers.set(tensor, entries.length)
    return entries.push(entry) - 1
  }
  const entryOf = (tensor: Tensor): TensorEntry => {
    const { name, dtype, shape } = tensor
    const nowhere = { of: -1, offset: 0, pitch: 0, arena: '' }
    const base = { name, dtype, shape, ...nowhere, wholeStep: options.wholeStep.has(tensor), parameter: false }
    const view = views.get(tensor)
    if (view) {
      const of = numberOf(view.of)
      const { offset, pitch = 0 } = view
      return { ...base, place: 'view', of, offset, pitch, parameter: entries[of]!.parameter }
    }
    const source = graph.sources.get(tensor)
    switch (source?.kind) {
      case undefined:
        return { ...base, place: 'arena' }
      case 'input':
      case 'resident':
        return { ...base, name: source.name, place: source.kind }
      case 'arena':
        return { ...base, place: 'store', arena: source.arena, offset: source.offset ?? 0 }
      case 'parameter':
        return {
          ...base,
          place: 'store',
          arena: options.parameters,
          offset: options.layout.offsetOf(source.parameter),
          parameter: true,
        }
    }
  }

  const nodes = graph.nodes.filter(node => node.op !== 'reshape')
  const entriesOfNodes = nodes.map(node => nodeEntry(node, numberOf))
  // Inputs that nothing reads are part of the plan all the same: a run is given them.
  for (const [tensor, { kind }] of graph.sources) if (kind === 'input') numberOf(tensor)
  return {
    device: options.device,
    checked: options.checked,
    chunkMemory: options.chunkMemory ?? true,
    policy: options.policy ?? policyOf(),
    nodes: entriesOfNodes,
    regions: options.regions,
    outputs: [...graph.outputs].map(([name, tensor]) => ({ name, tensor: numberOf(tensor) })),
    tensors: entries,
  }
}

function nodeEntry(node: Node, numberOf: (tensor: Tensor) => number): NodeEntry {
  const spec = operandsOf(node.op)
  const list = (operands: string, tensors: Node['reads']) => {
    const named = operandNames(operands.replace(/ ?\S+\*$/, ''))
    // Those of an operand with '*' have names of their own.
    const others = operands.endsWith('*') ? Object.keys(tensors).filter(name => !named.includes(name)) : []
    return [...named, ...others].map(name => (tensors[name] ? numberOf(tensors[name]) : -1))
  }
  const { name, op, section, attributes } = node
  return { name, op, section, attributes, reads: list(spec.reads, node.reads), writes: list(spec.writes, node.writes) }
}

/** Which tensors are views of which: parts, reshapes, and every parameter's gradient into a flat gradient. */
function viewsOf(graph: Graph, { gradients, layout }: SerialiseOptions): Map<Tensor, Part> {
  const views = new Map<Tensor, Part>(graph.parts)
  for (const node of graph.nodes) if (node.op === 'reshape') views.set(node.writes.y!, { of: node.reads.x!, offset: 0 })
  if (!gradients) return views
  for (const [parameter, tensor] of graph.gradients) {
    const root = rootOf(tensor, views)
    if (views.has(root) || graph.sources.has(root)) throw new Internal(`${parameter.name}: its gradient has no memory of its own`)
    const at = layout.offsetOf(parameter)
    const flat = gradients.find(({ tensor, offset }) => offset <= at && at < offset + tensor.size)
    if (flat?.tensor.dtype !== root.dtype)
      throw new Internal(`${parameter.name}: no flat ${root.dtype} gradient holds its gradient`)
    views.set(root, { of: flat.tensor, offset: at - flat.offset })
  }
  return views
}

/** The tensor whose memory this one shows. */
export function rootOf(tensor: Tensor, views: ReadonlyMap<Tensor, { of: Tensor }>): Tensor {
  const view = views.get(tensor)
  return view ? rootOf(view.of, views) : tensor
}
