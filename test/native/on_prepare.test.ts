/** onPrepare: how far the preparation of a plan is, told while it goes on off the JavaScript thread. */
import { describe, expect, test } from 'vitest'
import { compile, models, run, type HostTensor } from '../../src/index.js'

const model = models.create('resnet20', { numClasses: 4 })
const inputs = { images: { shape: [1, 8, 8, 3] } }

describe('onPrepare', () => {
  test('counts the operations of a session, in order', async () => {
    const told: [number, number][] = []
    using session = await compile(model, { inputs, onPrepare: (...counts) => told.push(counts) })
    const total = session.engines.length
    expect(told).toEqual(Array.from({ length: total }, (_, i) => [i + 1, total]))
  })

  test('is called for a single operation', async () => {
    const told: [number, number][] = []
    const x: HostTensor = { shape: [2], data: Float32Array.of(-1, 1) }
    await run('relu', { x }, {}, { onPrepare: (...counts) => told.push(counts) })
    expect(told).toEqual([[1, 1]])
  })

  test('what it throws ends the call, and it is not called again', async () => {
    let calls = 0
    const onPrepare = () => {
      calls++
      throw new Error('enough')
    }
    await expect(compile(model, { inputs, onPrepare })).rejects.toThrow('enough')
    expect(calls).toBe(1)
  })
})
