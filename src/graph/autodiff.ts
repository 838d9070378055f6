/**
 * Reverse-mode differentiation: appends the backward pass to a graph. Every operation's gradient rule (rules/) emits
 * explicit backward nodes; gradients that meet at one tensor are added.
 */
import { InvalidArgument } from '../runtime/errors.js'
import { present, type Graph, type Node } from './graph.js'
import type { Parameter } from './parameter.js'
import { outputTypes, rules } from './rules/index.js'
import type { GradientContext } from './rules/rule.js'
import { f32, formatShape, type Tensor, type TensorType } from './tensor.js'

/**
 * Fills graph.gradients with d loss / d parameter for each of `trained`; with `scale`, one number that is known when the plan
 * runs, times that number.
 */
export function differentiate(graph: Graph, loss: Tensor, trained: readonly Parameter[], scale?: Tensor): void {
  if (loss.size !== 1 || loss.dtype !== 'f32') {
    throw new InvalidArgument(
      `the loss must be one f32 number, got ${formatShape(loss.shape)} ${loss.dtype}: reduce it with mean() or sum()`,
    )
  }
  const forward = [...graph.nodes]
  const needed = tensorsThatLeadTo(forward, new Set(trained.map(parameter => graph.parameter(parameter))))
  if (!needed.has(loss)) {
    throw new InvalidArgument(
      'the loss depends on no trained parameter, so there is nothing to learn: compute it from the outputs of the model, and leave some parameters trainable',
    )
  }
  const arriving = new Map<Tensor, Tensor>()

  const give = (tensor: Tensor, gradient: Tensor) => {
    const before = arriving.get(tensor)
    const total = before ? graph.add('add', gradient.name, { a: before, b: gradient }, {}, { y: f32(tensor.shape) }).y! : gradient
    arriving.set(tensor, total)
  }

  const one = scale ? undefined : graph.add('fill', loss.name, {}, { value: 1 }, { y: f32(loss.shape) }).y!
  give(loss, one ?? graph.add('reshape', loss.name, { x: scale }, {}, { y: f32(loss.shape) }).y!)

  for (const node of forward.reverse()) {
    const outputs = Object.values(node.writes)
    if (!outputs.some(tensor => tensor && arriving.has(tensor))) continue
    if (!present(node.reads).some(tensor => needed.has(tensor))) continue
    const { gradient } = rules[node.op]
    if (!gradient)
      throw new InvalidArgument(
        `${node.name} (${node.op}): this operation has no gradient; use it outside the path from parameters to the loss`,
      )
    gradient(contextOf(graph, node, arriving, needed, one, give))
  }

  for (const parameter of trained) {
    const gradient = arriving.get(graph.parameter(parameter))
    graph.gradients.set(
      parameter,
      gradient ?? graph.add('fill', parameter.name, {}, { value: 0 }, { y: f32(parameter.shape) }).y!,
    )
  }
}

/** All tensors computed, directly or not, from one of the roots; and the roots. */
function tensorsThatLeadTo(nodes: readonly Node[], roots: ReadonlySet<Tensor>): ReadonlySet<Tensor> {
  const reached = new Set(roots)
  for (const node of nodes) {
    if (present(node.reads).some(tensor => reached.has(tensor))) for (const tensor of present(node.writes)) reached.add(tensor)
  }
  return reached
}

function contextOf(
  graph: Graph,
  node: Node,
  arriving: ReadonlyMap<Tensor, Tensor>,
  needed: ReadonlySet<Tensor>,
  one: Tensor | undefined,
  give: (tensor: Tensor, gradient: Tensor) => void,
): GradientContext {
  const plain = (types: Record<string, TensorType>) =>
    Object.fromEntries(Object.entries(types).map(([name, { dtype, shape }]) => [name, { dtype, shape }]))

  const context: GradientContext = {
    node,
    read: name => expect(node.reads[name], node, name),
    write(name, type) {
      if (type && !node.writes[name]) node.writes = { ...node.writes, [name]: graph.tensor(type, node.name) }
      return expect(node.writes[name], node, name)
    },
    arrived(name) {
      const output = context.write(name)
      return arriving.get(output) ?? graph.add('fill', node.name, {}, { value: 0 }, { y: f32(output.shape) }).y!
    },
    isOne: gradient => gradient === one,
    needs(name) {
      const tensor = node.reads[name]
      return tensor !== undefined && needed.has(tensor)
    },
    give: (name, gradient) => give(context.read(name), gradient),
    add(op, reads, attributes = {}, writes = {}) {
      const types = outputTypes({ op, name: node.name, reads, attributes }, plain(writes))
      return graph.add(op, node.name, reads, attributes, types)
    },
  }
  return context
}

function expect(tensor: Tensor | undefined, node: Node, operand: string): Tensor {
  if (!tensor) throw new InvalidArgument(`${node.name} (${node.op}): no operand '${operand}'`)
  return tensor
}
