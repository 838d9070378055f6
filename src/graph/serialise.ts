/**
 * From a finished graph to the description of a plan: numbers tensors and says where each one lives. Views (reshape, the
 * parts of the gradient arena) become offsets into other tensors and cost nothing.
 */
import { Internal } from '../runtime/errors.js'
import type { NodeEntry, PlanDesc, TensorEntry } from '../runtime/plan_desc.js'
import type { StoreLayout } from '../runtime/store_layout.js'
import { operandsOf, type Graph, type Node } from './graph.js'
import type { Region } from './passes/tile.js'
import type { Tensor } from './tensor.js'
import { operandNames } from './vocabulary.js'

export interface SerialiseOptions {
  readonly device: string
  readonly checked: boolean
  readonly layout: StoreLayout
  /** Which copy of the parameters the plan reads: the weights, or their moving average. */
  readonly parameters: 'weights' | 'ema'
  readonly regions: readonly Region[]
  /** The flat gradient tensor that the parameters' gradients are parts of (training plans). */
  readonly gradient?: Tensor
  /** Tensors that keep their values until the end of the step: totals over microbatches. */
  readonly wholeStep: ReadonlySet<Tensor>
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
    const base = { name, dtype, shape, of: -1, offset: 0, arena: '', wholeStep: options.wholeStep.has(tensor), parameter: false }
    const view = views.get(tensor)
    if (view) {
      const of = numberOf(view.of)
      return { ...base, place: 'view', of, offset: view.offset, parameter: entries[of]!.parameter }
    }
    const source = graph.sources.get(tensor)
    switch (source?.kind) {
      case undefined:
        return { ...base, place: 'arena' }
      case 'input':
      case 'resident':
        return { ...base, name: source.name, place: source.kind }
      case 'arena':
        return { ...base, place: 'store', arena: source.arena }
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
    nodes: entriesOfNodes,
    regions: options.regions,
    outputs: [...graph.outputs].map(([name, tensor]) => ({ name, tensor: numberOf(tensor) })),
    tensors: entries,
  }
}

function nodeEntry(node: Node, numberOf: (tensor: Tensor) => number): NodeEntry {
  const spec = operandsOf(node.op)
  const list = (operands: string, tensors: Node['reads']) =>
    operands.endsWith('*')
      ? Object.values(tensors).map(tensor => numberOf(tensor!))
      : operandNames(operands).map(name => (tensors[name] ? numberOf(tensors[name]) : -1))
  const { name, op, section, attributes } = node
  return { name, op, section, attributes, reads: list(spec.reads, node.reads), writes: list(spec.writes, node.writes) }
}

/** Which tensors are views of which: reshapes, and every parameter's gradient into the flat gradient. */
function viewsOf(graph: Graph, options: SerialiseOptions): Map<Tensor, { of: Tensor; offset: number }> {
  const views = new Map<Tensor, { of: Tensor; offset: number }>()
  for (const node of graph.nodes) if (node.op === 'reshape') views.set(node.writes.y!, { of: node.reads.x!, offset: 0 })
  if (!options.gradient) return views
  for (const [parameter, tensor] of graph.gradients) {
    const root = rootOf(tensor, views)
    if (views.has(root) || graph.sources.has(root)) throw new Internal(`${parameter.name}: its gradient has no memory of its own`)
    views.set(root, { of: options.gradient, offset: options.layout.offsetOf(parameter) })
  }
  return views
}

/** The tensor whose memory this one shows. */
export function rootOf(tensor: Tensor, views: ReadonlyMap<Tensor, { of: Tensor }>): Tensor {
  const view = views.get(tensor)
  return view ? rootOf(view.of, views) : tensor
}
