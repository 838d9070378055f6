/**
 * What a training step would move if every tensor were 16 bits wide and every kernel read and wrote each operand once: the measure
 * for a plan's own bytes. Fused: batch norm with its addition and ReLU is one operation with a mask of one bit an element, and the
 * gradients that meet at a fork are added inside a convolution. Unfused: batch norm, addition, ReLU and that sum are kernels of
 * their own, as in an eager framework.
 */
import type { NodeEntry, PlanDesc } from '../runtime/plan_desc.js'
import { useOf } from './cost.js'
import { sizeOf, type Use } from './rules/rule.js'
import type { OpName } from './vocabulary.js'

/** Bytes of a step. */
export interface IdealTraffic {
  readonly fused: number
  readonly unfused: number
}

/** 16-bit elements: fused, unfused. */
type Elements = readonly [number, number]

const elementBytes = 2
const bit = 1 / 16

/** A step's bytes for a parameter: read twice as 16 bits, its gradient written, SGD with momentum over f32 master weights. */
const parameterBytes = 2 + 2 + 4 + (4 + 4 + 4) + (4 + 4 + 2)

const both = (elements: number): Elements => [elements, elements]
const hasRelu = ({ attributes }: Use): boolean => attributes.activation === 'relu'

const table: Partial<Record<OpName, (use: Use) => Elements>> = {
  conv2d(use) {
    const [y, residual] = [sizeOf(use, 'y'), sizeOf(use, 'residual')]
    const moved = sizeOf(use, 'x') + y
    return [moved + residual, moved + (residual > 0 ? 3 * y : 0) + (hasRelu(use) ? 2 * y : 0)]
  },
  conv2dBwdFilter: use => both(sizeOf(use, 'dy') + sizeOf(use, 'x')),
  conv2dBwdData(use) {
    const moved = sizeOf(use, 'dy') + sizeOf(use, 'dx')
    const addend = sizeOf(use, 'addend')
    return [moved + addend, moved + 3 * addend]
  },
  bnStats: use => both(sizeOf(use, 'x')),
  bnApply(use) {
    const [x, residual] = [sizeOf(use, 'x'), sizeOf(use, 'residual')]
    const relu = hasRelu(use)
    return [2 * x + residual + (relu ? bit * x : 0), 2 * x + (residual > 0 ? 3 * x : 0) + (relu ? 2 * x : 0)]
  },
  bnBwdReduce: use => [(2 + (hasRelu(use) ? bit : 0)) * sizeOf(use, 'x'), 2 * sizeOf(use, 'x')],
  bnBwdApply(use) {
    const [x, relu] = [sizeOf(use, 'x'), hasRelu(use)]
    return [(3 + (relu ? bit : 0)) * x + sizeOf(use, 'dresidual'), 3 * x + (relu ? 3 * x : 0)]
  },
  maxPool: use => both(sizeOf(use, 'x') + 1.5 * sizeOf(use, 'y')),
  maxPoolBwd: use => both(1.5 * sizeOf(use, 'dy') + sizeOf(use, 'dx')),
  // Read before the network's first layer, or small.
  imageInput: () => both(0),
  gatherImages: () => both(0),
  softmaxCrossEntropy: () => both(0),
  biasBwd: () => both(0),
  cast: () => both(0),
}

/** Of a training step of so many trained parameters. */
export function idealTraffic(desc: PlanDesc, parameters: number): IdealTraffic {
  let [fused, unfused] = [0, 0]
  for (const node of desc.nodes) {
    if (node.section === 'update') continue
    const [a, b] = elementsOf(desc, node)
    fused += a * elementBytes
    unfused += b * elementBytes
  }
  return { fused: fused + parameters * parameterBytes, unfused: unfused + parameters * parameterBytes }
}

function elementsOf(desc: PlanDesc, node: NodeEntry): Elements {
  const use = useOf(desc, node)
  const rule = table[node.op as OpName]
  if (rule) return rule(use)
  const operands = [...Object.keys(use.reads), ...Object.keys(use.writes)]
  return both(operands.reduce((sum, operand) => sum + sizeOf(use, operand), 0))
}
