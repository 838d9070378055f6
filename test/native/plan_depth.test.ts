/** The deepest networks of the registry are traced, differentiated and planned for training in seconds, and packed well. */
import { describe, expect, test } from 'vitest'
import type { PassName } from '../../src/graph/passes/optional.js'
import { build } from '../../src/models/registry.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { trainingDesc } from '../graph/training_desc.js'
import { testedDevices } from './helpers.js'

test.each(['resnet1202', 'preact_resnet1001', 'densenet_bc_250_24'])('%s, 8 images of 32x32', async name => {
  const before = process.cpuUsage().user
  const desc = trainingDesc(build(name), [8, 32, 32, 3])
  using store = await Store.create('cpu', {})
  using plan = await Plan.create(desc, store)
  // Processor time: it does not depend on what else the machine does.
  expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(10)
  const { arena, livePeak } = plan.memory
  expect(arena / livePeak).toBeLessThanOrEqual(1.02)
})

describe.each(testedDevices)('on %s', device => {
  test('a DenseNet needs memory for the new channels of its layers, not for all before them', async () => {
    const arenaOf = async (name: string, disabledPasses: readonly PassName[] = []) => {
      using store = await Store.create(device, {})
      using plan = await Plan.create(trainingDesc(build(name), [8, 8, 8, 3], { device, disabledPasses }), store)
      return plan.memory.arena
    }
    // 6 and 12 layers a block: twice the memory for twice the layers, where copies would take four times.
    const [shallow, deep, copied] = [
      await arenaOf('densenet_bc_40_4'),
      await arenaOf('densenet_bc_76_4'),
      await arenaOf('densenet_bc_76_4', ['place-concats']),
    ]
    expect(deep / shallow).toBeLessThan(2.1)
    expect(deep).toBeLessThan(0.5 * copied)
  })
})

test('the work of a step grows with the layers, not faster', () => {
  const nodes = (name: string) => trainingDesc(build(name), [8, 32, 32, 3]).nodes.length
  const [shallow, deep] = [nodes('resnet56'), nodes('resnet110')]
  const aBlock = (deep - shallow) / 27
  expect(aBlock).toBe(Math.round(aBlock))
  expect(nodes('resnet1202')).toBe(deep + 546 * aBlock)
})
