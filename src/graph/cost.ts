/** What a plan costs on a device, node by node: bytes that its kernels read and write, and arithmetic. Nothing native is asked. */
import type { DType } from '../runtime/dtype.js'
import type { NodeEntry, PlanDesc, TensorEntry } from '../runtime/plan_desc.js'
import { rules } from './rules/index.js'
import type { Use } from './rules/rule.js'
import { elementsOf } from './tensor.js'
import { operandNames, vocabulary, type OpName } from './vocabulary.js'

/** The cost of one execution of a node on the whole batch. */
export interface NodeCost {
  readonly node: NodeEntry
  /**
   * Bytes between the kernels and the device's memory: every operand once (more often where the operation must), in its planned
   * type. Partial sums in scratchpads and what a cache may save are left out.
   */
  readonly bytes: number
  /** Floating-point operations of convolutions and linear layers, a multiply-accumulate being two. The rest is bound by bytes. */
  readonly flops: number
}

/** Of one element. */
export const bytesOf: Readonly<Record<DType, number>> = { f32: 4, i32: 4, bf16: 2, f16: 2, u8: 1 }

export function costsOf(desc: PlanDesc): NodeCost[] {
  return desc.nodes.map(node => {
    const use = useOf(desc, node)
    const { macs, touches } = rules[node.op as OpName]
    const touched = touches?.(use) ?? {}
    let bytes = 0
    for (const side of [use.reads, use.writes]) {
      for (const [operand, tensor] of Object.entries(side))
        if (tensor) bytes += (touched[operand] ?? elementsOf(tensor.shape)) * bytesOf[tensor.dtype]
    }
    return { node, bytes, flops: 2 * (macs?.(use) ?? 0) }
  })
}

interface PlannedUse extends Use {
  readonly reads: Readonly<Record<string, TensorEntry | undefined>>
  readonly writes: Readonly<Record<string, TensorEntry | undefined>>
}

/** A node with its operands by name; those of an operand with '*' are numbered: gradient0, gradient1. */
export function useOf({ tensors }: PlanDesc, { op, reads, writes, attributes }: NodeEntry): PlannedUse {
  const spec = vocabulary[op as OpName]
  const named = (list: string, numbers: readonly number[]) => {
    const names = operandNames(list)
    const alone = list.endsWith('*') ? names.length - 1 : names.length
    const nameOf = (i: number) => (i < alone ? names[i]! : `${names.at(-1)}${i - alone}`)
    return Object.fromEntries(numbers.map((tensor, i) => [nameOf(i), tensors[tensor]]))
  }
  return { reads: named(spec.reads, reads), writes: named(spec.writes, writes), attributes }
}
