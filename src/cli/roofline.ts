/** The accounting of a plan, and what it predicts for a GPU. */
import { costsOf, type NodeCost } from '../graph/cost.js'
import { launchesOf } from '../graph/cuda_launches.js'
import type { PlanDesc } from '../runtime/plan_desc.js'
import type { Precision } from '../graph/precision.js'
import type { Gpu } from './gpus.js'

/** All nodes of one operation. */
export interface OperationCost {
  readonly op: string
  readonly nodes: number
  readonly launches: number
  readonly bytes: number
  /** Of all bytes. */
  readonly share: number
  readonly flops: number
}

export interface Accounting {
  /** Of a step. */
  readonly bytes: number
  readonly flops: number
  /** Of own kernels and cuDNN graphs. */
  readonly launches: number
  /** The most bytes first. */
  readonly operations: readonly OperationCost[]
}

export function accountOf(desc: PlanDesc): Accounting {
  const sum = (of: readonly number[]) => of.reduce((total, value) => total + value, 0)
  const costs = costsOf(desc)
  const bytes = sum(costs.map(cost => cost.bytes))
  const total = (of: readonly NodeCost[]) => ({
    launches: sum(of.map(({ node }) => launchesOf(desc, node))),
    bytes: sum(of.map(cost => cost.bytes)),
    flops: sum(of.map(cost => cost.flops)),
  })
  const operations = [...new Set(desc.nodes.map(({ op }) => op))].map(op => {
    const of = costs.filter(({ node }) => node.op === op)
    const totals = total(of)
    return { op, nodes: of.length, ...totals, share: totals.bytes / bytes }
  })
  return { ...total(costs), operations: operations.sort((a, b) => b.bytes - a.bytes) }
}

/** Seconds of a step. */
export interface Prediction {
  readonly gpu: string
  /** Were only the bytes to be moved. */
  readonly memory: number
  /** Every kernel at the slower of its bytes and its arithmetic, one after the other; no gaps between launches. */
  readonly step: number
}

export function predict(desc: PlanDesc, precision: Precision, { name, bandwidth, rate }: Gpu): Prediction {
  let [memory, step] = [0, 0]
  for (const { bytes, flops } of costsOf(desc)) {
    memory += bytes / bandwidth
    step += Math.max(bytes / bandwidth, flops / rate[precision])
  }
  return { gpu: name, memory, step }
}
