/** How processes and worker threads end while the native side is busy. */
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/graph/session.js'
import { create } from '../../src/models/index.js'
import { sgd } from '../../src/optim/index.js'
import { Trainer } from '../../src/train/trainer.js'
import { program } from '../programs.js'
import { source } from '../train/training.js'
import { runProcess } from './processes/run_process.js'

describe('a process that ends while runs are pending', () => {
  test.each([1, 2, 3])('by process.exit, time %i', async () => {
    const { code, signal, stderr } = await runProcess('exit_pending.ts', ['exit'])
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' })
  })

  test('by an uncaught exception', async () => {
    const { code, signal, stderr } = await runProcess('exit_pending.ts', ['throw'])
    expect({ code, signal }).toEqual({ code: 1, signal: null })
    expect(stderr).toContain('thrown on purpose')
  })

  test.each(['wait', 'run dry'])('waits for them first: %s', async how => {
    const { code, signal, stdout } = await runProcess('exit_pending.ts', [how])
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    expect(stdout.trim().split('\n')).toEqual(Array(4).fill('step'))
  })
})

interface Message {
  output: Float32Array
  loss: number
}

describe('worker threads', () => {
  const start = (mode: 'finish' | 'pending') => {
    const worker = new Worker(program('test/native/processes/session_worker.ts'), { workerData: { mode } })
    const exited = new Promise<number>(resolve => worker.on('exit', resolve))
    const message = new Promise<Message>((resolve, reject) => worker.on('message', resolve).on('error', reject))
    return { worker, exited, message }
  }

  test('two at once run and end by themselves, with the numbers of the main thread', async () => {
    using session = await compile(create('resnet20', { numClasses: 4 }), { inputs: { x: { shape: [16, 16, 16, 3] } } })
    const x = Float32Array.from({ length: 16 * 16 * 16 * 3 }, (_, i) => Math.sin(i))
    const workers = [start('finish'), start('finish')]
    const { output } = await session.run({ x })
    for (const { exited, message } of workers) {
      expect((await message).output).toEqual(output!.data)
      expect(await exited).toBe(0)
    }
    const losses = await Promise.all(workers.map(async ({ message }) => (await message).loss))
    expect(losses[0]).toBe(losses[1])
  })

  test('a trainer in one and a session in the main thread, at the same time, give what each gives alone', async () => {
    const model = create('resnet20', { numClasses: 4 })
    const options = { data: source(640, [32, 32, 3]), batchSize: 128, epochs: 100, optimizer: sgd({ lr: 0.01 }) }
    await using trainer = new Trainer(model, options)
    const alone: number[] = []
    for await (const event of trainer.fit()) if (event.type === 'step' && alone.push(event.loss) === 4) break

    using session = await compile(create('resnet20', { numClasses: 4 }), { inputs: { x: { shape: [16, 16, 16, 3] } } })
    const x = Float32Array.from({ length: 16 * 16 * 16 * 3 }, (_, i) => Math.cos(i))
    const { output } = await session.run({ x })
    const { worker, message } = start('pending')
    const losses: number[] = []
    worker.on('message', ({ loss }: Message) => losses.push(loss))
    await message
    let runs = 0
    for (; losses.length < 4; runs++) expect((await session.run({ x })).output).toEqual(output)
    expect(losses.slice(0, 4)).toEqual(alone)
    expect(runs).toBeGreaterThan(1)
    await worker.terminate()
  })

  test('one that is terminated in the middle leaves the others alone', async () => {
    const { worker, exited, message } = start('pending')
    await message
    await worker.terminate()
    expect(await exited).toBe(1)
    using session = await compile(create('resnet20', { numClasses: 4 }), { inputs: { x: { shape: [1, 16, 16, 3] } } })
    expect((await session.run({ x: new Float32Array(16 * 16 * 3) })).output!.shape).toEqual([1, 4])
  })

  test('those that are terminated while their runs end do not take the process along', async () => {
    const { code, signal, stdout, stderr } = await runProcess('terminate_workers.ts')
    expect({ code, signal, stdout, stderr }).toEqual({ code: 0, signal: null, stdout: 'still there\n', stderr: '' })
  })
})
