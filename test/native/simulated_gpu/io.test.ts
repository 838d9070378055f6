/** A step as one CUDA graph, inputs and outputs beside it, and every call made to fail once, on the simulated GPU. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Evaluation } from '../../../src/train/events.js'
import { writeShapes } from '../../data/shapes.js'
import { runProcess } from '../processes/run_process.js'
import { build, library } from './build.js'

async function gpu<T>(scenario: string, environment: Record<string, string> = {}): Promise<T> {
  const { stdout, stderr, code } = await runProcess('gpu_io.ts', [scenario], [], {
    ERASERELU_CUDA_LIBRARY: library,
    SIM_NODE: join(build, 'sim.node'),
    ...environment,
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as T
}

/** Calls that only prepare, or that wait for the GPU. */
const forbidden =
  /^cuda(Malloc|Free|HostAlloc|Stream(Synchronize|Create|BeginCapture)|Graph(Instantiate|ExecDestroy)|Event(Create|Destroy)|LaunchKernel)/

describe.each([
  [1, 1],
  [2, 3],
])('a step of %d microbatches', (accumulate, graphs) => {
  test(`is ${graphs} launches of graphs; nothing is allocated or looked up`, async () => {
    const steps = await gpu<string[][]>('steps', { ACCUMULATE: String(accumulate) })
    expect(steps).toHaveLength(8 / accumulate)
    for (const calls of steps.slice(3)) {
      expect(calls.filter(call => call === 'cudaGraphLaunch')).toHaveLength(graphs)
      expect(calls.filter(call => forbidden.test(call))).toEqual([])
    }
  })
})

describe.each(['0', '1', '7'])('SIM_ORDER=%s', order => {
  test('runs are launched, and inputs brought, ahead of those under way; each gets its own', async () => {
    const { differences, calls, work } = await gpu<{ differences: number[]; calls: string[]; work: string[] }>('ahead', {
      SIM_ORDER: order,
    })
    expect(Math.max(...differences)).toBeLessThan(1e-4)
    expect(calls.filter(call => call === 'cudaGraphLaunch')).toHaveLength(6)
    // Two are under way before the first is asked for.
    const query = calls.indexOf('cudaEventQuery')
    expect(calls.slice(0, query).filter(call => call === 'cudaGraphLaunch')).toHaveLength(2)
    // Other streams first: the inputs of the second are on the device before the first has begun.
    const [compute] = work.filter(line => line.startsWith('graph ')).map(line => line.split(' ').at(-1))
    const begun = work.findIndex(line => line.startsWith('graph '))
    const copies = work.slice(0, begun).filter(line => line.startsWith('copy ') && !line.endsWith(` ${compute}`))
    if (order === '1') expect(copies.length).toBeGreaterThan(2)
  })
})

test('what is staged goes from its own array into pinned memory, with no copy in between', async () => {
  const { difference, work } = await gpu<{ difference: number; work: string[] }>('borrowed')
  expect(difference).toBeLessThan(1e-4)
  expect(work.filter(line => line.startsWith('copy ')).length).toBeGreaterThan(0)
})

test('batches of image files, changed and mixed, train as on the CPU', async () => {
  const FOLDER = mkdtempSync(join(tmpdir(), 'eraserelu-gpu-images-'))
  writeShapes(FOLDER)
  const [cuda, cpu] = await gpu<{ losses: number[]; count: number; loss: number }[]>('images', { FOLDER }).finally(() =>
    rmSync(FOLDER, { recursive: true }),
  )
  expect(cuda!.losses).toHaveLength(12)
  cuda!.losses.forEach((loss, i) => expect(loss).toBeCloseTo(cpu!.losses[i]!, 4))
  expect(cuda!.count).toBe(12)
  expect(cuda!.loss).toBeCloseTo(cpu!.loss, 4)
})

test('an evaluation brings the inputs of the next batch while one is measured', async () => {
  const { cuda, cpu, work } = await gpu<{ cuda: Evaluation; cpu: Evaluation; work: string[] }>('evaluation', { SIM_ORDER: '1' })
  expect(cuda).toMatchObject({ count: 22, accuracy: cpu.accuracy, accuracy5: cpu.accuracy5 })
  expect(cuda.loss).toBeCloseTo(cpu.loss, 4)
  const graphs = work.flatMap((line, i) => (line.startsWith('graph ') ? [i] : []))
  const compute = work[graphs[0]!]!.split(' ').at(-1)!
  const copiesBefore = (end: number) =>
    work.slice(0, end).filter(line => line.startsWith('copy ') && !line.endsWith(` ${compute}`)).length
  // Other streams first. A run has its parameters and its inputs brought: when run n (from 2 on, the first is kernel by kernel) begins, those of
  // n runs are there and the inputs of one more; at the last one nothing is left to bring.
  expect(graphs.map(copiesBefore)).toEqual([2, 3, 4, 5, 6].map(n => 2 * n + (n < 6 ? 1 : 0)))
})

/** Gives something back, or waits for the end before it does: what fails there has no one to tell. */
const givesBack = /^cuda(Free|FreeHost|EventDestroy|GraphDestroy|GraphExecDestroy|StreamSynchronize|SetDevice)$/

/** cuDNN's own, while it offers engines: an engine that fails there is passed over. */
const cudnnsOwn = /^cuda(GetDevice|DeviceGetAttribute)$/

interface Answer {
  call: string
  error?: { code: string; message: string }
  leaks: string
}

test('every CUDA call of a training that fails once is an error that names it; nothing is lost, and the next training is right', async () => {
  const { answers, difference } = await gpu<{ answers: Answer[]; difference: number }>('failures')
  expect(answers.length).toBeGreaterThan(100)
  expect(answers.filter(({ call, leaks }) => leaks !== '' && !givesBack.test(call))).toEqual([])
  const silent = answers.filter(({ error }) => !error).map(({ call }) => call)
  expect(silent.filter(call => !givesBack.test(call) && !cudnnsOwn.test(call))).toEqual([])
  const named = ({ code, message }: { code: string; message: string }, call: string) =>
    code === 'DEVICE_ERROR' && message.includes(call)
  const wrong = answers.filter(({ call, error }) => error && !cudnnsOwn.test(call) && !named(error, call))
  expect(wrong).toEqual([])
  expect(difference).toBeLessThan(1e-4)
}, 600_000)

test('every execution of a cuDNN graph that fails once is an error that names the node', async () => {
  const { errors, before, after } = await gpu<{ errors: Answer['error'][]; before: string; after: string }>('cudnnFailures')
  expect(errors.length).toBeGreaterThan(2)
  for (const error of errors) {
    expect(error!.code).toBe('DEVICE_ERROR')
    expect(error!.message).toMatch(/^conv2d\w* \S+: \[.*this failure was asked for/)
  }
  expect(after).toBe(before)
}, 300_000)

test('200 plans leave nothing behind', async () => {
  const { alives } = await gpu<{ alives: string[] }>('plans')
  expect(alives).toHaveLength(4)
  expect(new Set(alives).size).toBe(1)
  expect(alives[0]).not.toMatch(/bytes of pinned|events|graphs/)
}, 300_000)
