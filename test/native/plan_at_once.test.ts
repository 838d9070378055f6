/** A plan is known before anything is allocated: this looks at the time and at the memory of the process. */
import { expect, test } from 'vitest'
import * as models from '../../src/models/index.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { evaluationDesc, trainingDesc } from '../graph/training_desc.js'

const MB = 2 ** 20

test('ResNet-50 on 16 images of 224x224: planned at once, before anything is allocated', async () => {
  const model = models.create('resnet50', { numClasses: 10 })
  const descs = [trainingDesc(model, [16, 224, 224, 3]), evaluationDesc(model, [16, 224, 224, 3])]
  using store = await Store.create('cpu', {})
  for (const desc of descs) {
    const before = process.memoryUsage().rss
    const start = performance.now()
    using plan = await Plan.create(desc, store)
    const seconds = (performance.now() - start) / 1000
    const { arena, livePeak } = plan.memory
    expect(arena).toBeGreaterThan(100 * MB)
    expect(arena / livePeak).toBeLessThanOrEqual(1.02)
    expect(process.memoryUsage().rss - before).toBeLessThan(Math.max(arena / 10, 50 * MB))
    expect(seconds).toBeLessThan(20)
  }
})
