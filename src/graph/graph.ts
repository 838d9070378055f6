/** The graph: nodes in execution order over symbolic tensors. Passes rewrite it; serialise.ts turns it into a plan. */
import { Internal } from '../runtime/errors.js'
import type { Parameter } from './parameter.js'
import { Tensor, type TensorType } from './tensor.js'
import { operandNames, vocabulary, type OpName } from './vocabulary.js'

/**
 * Operations that exist only above the waist: `batchNorm` is lowered to its parts (passes/lower.ts), `reshape` is a view.
 */
export const graphOnly = {
  batchNorm: {
    reads: 'x gamma beta runningMean runningVariance residual?',
    writes: 'y mean invstd variance mask?',
    attributes: 'epsilon momentum activation',
    batch: 'whole',
  },
  reshape: { reads: 'x', writes: 'y', attributes: '', batch: 'whole' },
} as const

export type GraphOp = OpName | keyof typeof graphOnly
/** One attribute of an operation. */
export type Attribute = number | string | readonly number[]
/** Attributes of an operation by name. */
export type Attributes = Readonly<Record<string, Attribute>>
export type Operands = Readonly<Record<string, Tensor | undefined>>

/** When a node runs: for each microbatch, or once a step after all of them. */
export type Section = 'gradient' | 'update'

export interface Node {
  readonly op: GraphOp
  /** The layer it belongs to. */
  readonly name: string
  reads: Operands
  writes: Operands
  attributes: Attributes
  readonly section: Section
}

/** Where a tensor that no node writes comes from. */
export type Source =
  | { kind: 'input'; name: string }
  | { kind: 'resident'; name: string }
  | { kind: 'parameter'; parameter: Parameter }
  | { kind: 'arena'; arena: string; offset?: number }

/** `offset` elements from the start of a tensor; with a pitch, so many elements from a pixel to the next. */
export interface Part {
  readonly of: Tensor
  readonly offset: number
  readonly pitch?: number
}

export class Graph {
  readonly nodes: Node[] = []
  readonly sources = new Map<Tensor, Source>()
  /** Gradient tensor of each trained parameter, in store order; filled by autodiff. */
  readonly gradients = new Map<Parameter, Tensor>()
  /** Tensors that are parts of a larger one. */
  readonly parts = new Map<Tensor, Part>()
  /** Tensors that are read after the step, by name. */
  readonly outputs = new Map<string, Tensor>()
  private nextId = 0
  private readonly parameters = new Map<Parameter, Tensor>()

  tensor(type: TensorType, name: string): Tensor {
    return new Tensor(this.nextId++, type.dtype, [...type.shape], name)
  }

  source(type: TensorType, name: string, source: Source): Tensor {
    const tensor = this.tensor(type, name)
    this.sources.set(tensor, source)
    return tensor
  }

  /** The tensor of a parameter: one a graph, however often it is used. */
  parameter(parameter: Parameter): Tensor {
    let tensor = this.parameters.get(parameter)
    if (!tensor) {
      tensor = this.source({ dtype: 'f32', shape: parameter.shape }, parameter.name, { kind: 'parameter', parameter })
      this.parameters.set(parameter, tensor)
    }
    return tensor
  }

  /** The parameters that nodes read, in the order of their first use. */
  readParameters(): Parameter[] {
    const read = this.nodes.flatMap(node => present(node.reads)).map(tensor => this.parameterOf(tensor))
    return [...new Set(read)].filter(parameter => parameter !== undefined)
  }

  parameterOf(tensor: Tensor): Parameter | undefined {
    const source = this.sources.get(tensor)
    return source?.kind === 'parameter' ? source.parameter : undefined
  }

  /**
   * Appends a node. `writes` gives the type of each output, or an existing tensor to write into.
   * Returns the output tensors by operand name.
   */
  add(
    op: GraphOp,
    name: string,
    reads: Operands,
    attributes: Attributes,
    writes: Readonly<Record<string, TensorType>>,
    section: Section = 'gradient',
  ): Record<string, Tensor> {
    const spec = operandsOf(op)
    for (const operand of Object.keys(reads)) {
      if (!operandNames(spec.reads).includes(operand) && !spec.reads.endsWith('*'))
        throw new Internal(`${op} reads no '${operand}'`)
    }
    const outputs: Record<string, Tensor> = {}
    for (const [operand, type] of Object.entries(writes)) {
      if (!operandNames(spec.writes).includes(operand)) throw new Internal(`${op} writes no '${operand}'`)
      outputs[operand] = type instanceof Tensor ? type : this.tensor(type, name)
    }
    this.nodes.push({ op, name, reads, writes: outputs, attributes, section })
    return outputs
  }
}

export function operandsOf(op: GraphOp) {
  return op in graphOnly ? graphOnly[op as keyof typeof graphOnly] : vocabulary[op as OpName]
}

/** The tensors a node really reads or writes. */
export function present(operands: Operands): Tensor[] {
  return Object.values(operands).filter(tensor => tensor !== undefined)
}

/** For every tensor, the nodes that read it. */
export function readersOf(nodes: readonly Node[]): Map<Tensor, Node[]> {
  const readers = new Map<Tensor, Node[]>()
  for (const node of nodes) {
    for (const tensor of present(node.reads)) {
      const list = readers.get(tensor)
      if (list) list.push(node)
      else readers.set(tensor, [node])
    }
  }
  return readers
}
