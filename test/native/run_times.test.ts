/** A plan that one native call runs several times, as the measurement of what JavaScript costs does (npm run bench -- loop). */
import { expect, test } from 'vitest'
import { create } from '../../src/models/index.js'
import { sgd } from '../../src/optim/index.js'
import { Plan } from '../../src/runtime/plan.js'
import { Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'
import { initialState } from '../../src/train/loss_scaling.js'
import { arenasFor } from '../../src/train/training_plan.js'
import { trainingDesc } from '../graph/training_desc.js'
import { digest } from '../train/training.js'

const model = create('resnet20', { width: 4 })
const shape = [4, 8, 8, 3]
const inputs = {
  images: Float32Array.from({ length: 4 * 8 * 8 * 3 }, (_, i) => Math.sin(i)),
  labels: Int32Array.of(0, 1, 2, 3),
}
const learningRates = [0.1]

async function weightsAfter(work: (plan: Plan) => Promise<unknown>): Promise<string> {
  const desc = trainingDesc(model, shape)
  const layout = new StoreLayout(model.parameters())
  using store = await Store.create('cpu', arenasFor(layout, sgd({ lr: 0.1, momentum: 0.9 }), undefined))
  for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
  await store.write('state', 0, initialState(false))
  using plan = await Plan.create(desc, store)
  await work(plan)
  return digest(await store.read('weights'))
}

test('three times by one call leave what three calls leave', async () => {
  const calls = async (plan: Plan, times: number) => {
    for (let i = 0; i < times; i++) await plan.run([inputs], { learningRates })
  }
  const three = await weightsAfter(plan => calls(plan, 3))
  expect(await weightsAfter(plan => plan.run([inputs], { learningRates, times: 3 }))).toBe(three)
  expect(await weightsAfter(plan => calls(plan, 2))).not.toBe(three)
})

test('not with inputs that are there once, and not no times', async () => {
  await weightsAfter(async plan => {
    await expect(plan.run([plan.stage(inputs)], { learningRates, times: 2 })).rejects.toThrow(
      /staged inputs are there for one time only/,
    )
    await expect(plan.run([inputs], { learningRates, times: 0 })).rejects.toThrow(/times must be an integer of at least 1/)
  })
})
