/** Which activations are computed again in the backward pass with memory 'low', and what stays as it was. */
import { describe, expect, test } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { add, conv2d, dropout, mean, mul, relu, reshape, scaleSamples, sigmoid, tanh } from '../../src/graph/functions.js'
import { livePeak } from '../../src/graph/live_peak.js'
import { Parameter } from '../../src/graph/parameter.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { build } from '../../src/models/registry.js'
import { BatchNorm2d, Conv2d, Module } from '../../src/nn/index.js'
import type { NodeEntry, PlanDesc } from '../../src/runtime/plan_desc.js'
import { lowMemoryText } from '../../src/train/low_memory.js'
import type { TrainingOptions } from '../../src/train/training_plan.js'
import { shallow } from '../models/shallow.js'
import { trainingDesc, trainingPlanOf } from './training_desc.js'

const low = { memory: 'low' } as const
const both = (model: Module, shape: readonly number[], options: Partial<TrainingOptions> = {}) =>
  [trainingDesc(model, shape, { ...options, ...low }), trainingDesc(model, shape, options)] as [PlanDesc, PlanDesc]

const name = ({ op, name }: NodeEntry) => `${name} ${op}`.trim()
/** What is there more often in the first plan. */
function added([after, before]: [PlanDesc, PlanDesc]): string[] {
  const rest = before.nodes.map(name)
  return after.nodes.map(name).filter(each => {
    const at = rest.indexOf(each)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

/** body between two convolutions; the second one's filter gradient needs what body gives. */
class Between extends Module {
  first = new Conv2d(8, 8, 3, { padding: 1, bias: false })
  bn = new BatchNorm2d(8)
  last = new Conv2d(8, 4, 1)
  constructor(private readonly body: (x: Tensor, self: Between) => Tensor) {
    super()
  }
  forward(x: Tensor): Tensor {
    return this.last(this.body(this.first(x), this))
  }
}
const shape = [64, 32, 32, 8]
const plans = (body: Between['body'], options: Partial<TrainingOptions> = {}) =>
  both(new Between(body), shape, { loss: y => mean(y), ...options })

describe('computed again', () => {
  const square = (y: Tensor) => reshape(mean(mul(y, y), [1, 2, 3]), [shape[0]!])
  test.each<[string, Between['body'], string[]]>([
    ['batch norm and ReLU', (x, { bn }) => relu(bn(x)), ['bn bnApply']],
    ['batch norm alone', (x, { bn }) => bn(x), ['bn bnApply']],
    ['a chain that nothing else reads', (x, { bn }) => dropout(relu(bn(x)), 0.5), ['bn bnApply', 'dropout']],
    ['dropout alone, where its operand is kept', x => dropout(tanh(x), 0.5), ['dropout']],
    ['an addition of what is kept', x => add(tanh(x), sigmoid(x)), ['add']],
    ['scaled images', x => scaleSamples(tanh(x), square(x)), ['scaleSamples']],
    ['not a result of several readers whose operands are not kept', x => { const y = add(x, x); return add(y, dropout(y, 0.5)) }, []],
    ['not where there is nothing but convolutions', x => x, []],
    ['not a view', (x, { bn }) => reshape(reshape(relu(bn(x)), [shape[0]!, -1]), shape), []],
  ])('%s', (_, body, expected) => {
    expect(added(plans(body))).toEqual(expected)
  }) // prettier-ignore

  test('each part of an unfused chain', () => {
    const unfused = plans((x, { bn }) => relu(bn(x)), { disabledPasses: ['fuse'] })
    expect(added(unfused)).toEqual(['bn bnApply', 'relu'])
  })

  test('not in a plan whose pass is switched off, or which is checked', () => {
    for (const options of [{ disabledPasses: ['recompute'] as const }, { checked: true }])
      expect(added(plans((x, { bn }) => relu(bn(x)), options))).toEqual([])
  })

  test('not a filter, which convolutions read as a whole', () => {
    const filter = new Parameter([8, 1, 1, 8], 'weight')
    class Dropped extends Between {
      filter = filter
    }
    const model = new Dropped(x => conv2d(x, add(filter, filter)))
    expect(added(both(model, shape, { loss: y => mean(y) }))).toEqual([])
  })
})

describe('a residual network', () => {
  test('every second joint of a stage is kept: the next one is computed from it', () => {
    const [after, before] = both(build('resnet56'), [8, 32, 32, 3])
    // Nine blocks a stage. Stage 1 begins behind a batch norm, which is computed again from its convolution; so is the middle of each block.
    const ofStage = (stage: number) => added([after, before]).filter(each => each.startsWith(`layer${stage}.`))
    expect(ofStage(1).filter(each => each.includes('bn1'))).toHaveLength(9)
    expect(
      ofStage(1)
        .filter(each => each.includes('bn2'))
        .map(each => each.split('.')[1]),
    ).toEqual(['7', '5', '3', '1'])
    expect(after.regions.length).toBe(before.regions.length)
  })

  test('the regions hold the same nodes in the same chunks, but for the added ones', () => {
    const [after, before] = both(build('resnet20'), [128, 32, 32, 3])
    const kinds = ({ nodes, regions }: PlanDesc, without: string[] = []) => {
      const rest = [...without]
      return regions.map(({ begin, end, chunk }) => [
        chunk,
        nodes
          .slice(begin, end)
          .map(name)
          .filter(each => !each.includes('bnApply') || !rest.includes(each)),
      ])
    }
    expect(before.regions.length).toBeGreaterThan(3)
    const names = added([after, before])
    expect(names.length).toBeGreaterThan(9)
    expect(kinds(after, names)).toEqual(kinds(before, names))
  })
})

describe.each([false, true])('erased: %o', erased => {
  test.each(shallow)(
    '$name: less is alive at once, for bytes of elementwise operations',
    ({ name, options, size, erase = {} }) => {
      const model = build(name, { ...options, numClasses: 10 })
      eraseReLU(model, erased ? erase : { proportion: 0 })
      const plans = both(model, [32, size, size, 3])
      const { alive, aliveNormally, operations, bytes, bytesNormally } = trainingPlanOf(model, [32, size, size, 3], low).low!
      expect(alive).toBe(livePeak(plans[0]))
      expect(aliveNormally).toBe(livePeak(plans[1]))
      expect(alive).toBeLessThan(aliveNormally)
      expect(operations).toBe(added(plans).length)
      expect(bytes / bytesNormally).toBeGreaterThan(0)
      expect(bytes / bytesNormally).toBeLessThan(0.2)
      expect(added(plans).filter(each => !/ ?(bnApply|dropout)$/.test(each))).toEqual([])
    },
  )
})

test('the model is called once, also for the comparison', () => {
  let calls = 0
  const between = new Between((x, { bn }) => {
    calls++
    return relu(bn(x))
  })
  const { desc, low: comparison } = trainingPlanOf(between, shape, { loss: y => mean(y), ...low })
  expect(calls).toBe(1)
  expect(comparison?.operations).toBe(1)
  const normal = trainingPlanOf(between, shape, { loss: y => mean(y) })
  expect(normal.low).toBeUndefined()
  expect(added([desc, normal.desc])).toEqual(['bn bnApply'])
})

test('what it gives and costs is one line', () => {
  const text = lowMemoryText({ alive: 75e6, aliveNormally: 100e6, operations: 3, bytes: 5e6, bytesNormally: 200e6 })
  expect(text).toBe(
    "Memory 'low': activations and gradients take 75 MB at once instead of 100 MB (25 % less), for 3 operations more, which read and write 5.0 MB (2.5 % more).",
  )
})
