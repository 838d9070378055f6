/**
 * Gives activations and their gradients the 16-bit type of a policy. Where a tensor of one type meets an operand of another, a
 * cast stands between them; a cast of the parameters that convolutions read is one node for each stretch of the store, at the
 * start of the plan's run. What leaves the plan is f32.
 */
import type { StoreLayout } from '../../runtime/store_layout.js'
import type { Graph, Node, Operands } from '../graph.js'
import type { Parameter } from '../parameter.js'
import { f32, type DType, type Tensor } from '../tensor.js'
import { operandType } from './precision_table.js'

export interface PrecisionOptions {
  readonly type: 'f32' | 'bf16' | 'f16'
  readonly layout: StoreLayout<Parameter>
  /** The store's arena that the plan's parameters are read from. */
  readonly parameters: 'weights' | 'ema'
}

/** To be used before batch norm is lowered and the update section is added. */
export function usePrecision(graph: Graph, options: PrecisionOptions): void {
  if (options.type !== 'f32') new PrecisionPass(graph, options).run()
}

class PrecisionPass {
  private readonly nodes: Node[] = []
  /** The same values in the other type, of tensors that need both. */
  private readonly casts = new Map<Tensor, Tensor>()
  private readonly copies = new Map<Parameter, Tensor>()
  private readonly reshapedFrom = new Map<Tensor, Tensor>()

  constructor(
    private readonly graph: Graph,
    private readonly options: PrecisionOptions,
  ) {}

  run(): void {
    const { graph, nodes } = this
    const { type } = this.options
    for (const node of graph.nodes) {
      node.reads = this.converted(node)
      for (const [operand, tensor] of Object.entries(node.writes))
        if (tensor?.dtype === 'f32' && operandType(node.op, operand) === 'activation') tensor.dtype = type
      if (node.op === 'reshape') {
        node.writes.y!.dtype = node.reads.x!.dtype
        this.reshapedFrom.set(node.writes.y!, node.reads.x!)
      }
      nodes.push(node)
    }
    for (const [name, tensor] of graph.outputs) if (tensor.dtype === type) graph.outputs.set(name, this.as('f32', tensor))
    graph.nodes.splice(0, graph.nodes.length, ...this.copiesOfParameters(), ...nodes)
  }

  private converted(node: Node): Operands {
    const reads = Object.entries(node.reads).map(([operand, tensor]) => {
      if (!tensor || (tensor.dtype !== 'f32' && tensor.dtype !== this.options.type)) return [operand, tensor]
      const wanted = operandType(node.op, operand)
      return [operand, wanted === 'any' ? tensor : this.as(wanted === 'f32' ? 'f32' : this.options.type, tensor)]
    })
    return Object.fromEntries(reads) as Operands
  }

  /** The tensor itself, or the same values in another type. */
  private as(dtype: DType, tensor: Tensor): Tensor {
    if (tensor.dtype === dtype) return tensor
    let cast = this.casts.get(tensor)
    if (!cast) this.casts.set(tensor, (cast = this.cast(dtype, tensor)))
    return cast
  }

  private cast(dtype: DType, tensor: Tensor): Tensor {
    const { name, shape } = tensor
    const parameter = this.graph.parameterOf(tensor)
    if (parameter) return this.copyOf(parameter, dtype)
    // A reshaped parameter, such as the filter of a linear layer, shows the parameter's copy.
    const whole = this.reshapedFrom.get(tensor)
    const [op, x] =
      whole && this.graph.parameterOf(whole) ? (['reshape', this.as(dtype, whole)] as const) : (['cast', tensor] as const)
    const y = this.graph.tensor({ dtype, shape }, name)
    this.nodes.push({ op, name, reads: { x }, writes: { y }, attributes: {}, section: 'gradient' })
    return y
  }

  private copyOf(parameter: Parameter, dtype: DType): Tensor {
    const copy = this.graph.tensor({ dtype, shape: parameter.shape }, parameter.name)
    this.copies.set(parameter, copy)
    return copy
  }

  /** One cast for each stretch of the store that has parameters to copy, and the copies as parts of its result. */
  private copiesOfParameters(): Node[] {
    const { graph, copies } = this
    const { layout, parameters: arena, type } = this.options
    return layout
      .runs(parameter => copies.has(parameter) || undefined)
      .map(({ offset, size, parameters }) => {
        const x = graph.source(f32([size]), arena, { kind: 'arena', arena, offset })
        const y = graph.tensor({ dtype: type, shape: [size] }, `${arena} ${type}`)
        for (const parameter of parameters) {
          const part = layout.offsetOf(parameter) - offset
          graph.parts.set(copies.get(parameter)!, { of: y, offset: part })
        }
        return { op: 'cast', name: y.name, reads: { x }, writes: { y }, attributes: {}, section: 'gradient' } satisfies Node
      })
  }
}
