/** Batch norm by one graph of cuDNN, which `autotune` takes where it is faster than our own kernels; on a simulated cuDNN, with kernels of ours that are made slow. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TrainerOptions } from '../../../src/train/trainer.js'
import { difference } from '../../train/training.js'
import { runProcess } from '../processes/run_process.js'
import { library } from './build.js'

let cache = ''
beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'eraserelu-cache-'))))
afterEach(() => rmSync(cache, { recursive: true }))

interface Training {
  losses: number[]
  weights: number[]
  /** What was computed → the engine. */
  norms: Record<string, string>
  warnings: string[]
}
type Options = Partial<TrainerOptions> & { erased?: boolean }

async function train(options: Options, environment: Record<string, string> = {}): Promise<Training> {
  const env = { ERASERELU_CUDA_LIBRARY: library, ERASERELU_CACHE: cache, SIM_CUDNN_ENGINES: '12', ...environment }
  const { stdout, stderr, code } = await runProcess('gpu.ts', ['norms', JSON.stringify(options)], ['--no-warnings'], env)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Training
}

// With the table of what the real cuDNN supports: the backend's graphs are forms that it has.
const table = resolve('test/native/simulated_gpu/support_table.txt')
const slowKernels = { SIM_KERNEL_TIME: '8', SIM_CUDNN_TABLE: table }
const enginesOf = ({ norms }: Training) => [...new Set(Object.values(norms))]
const error = (a: number[], b: number[]) => difference(Float32Array.from(a), Float32Array.from(b))

/** In the order of the operands: what the graphs of a plan are, without shapes. */
const formsOf = ({ norms }: Training) =>
  [...new Set(Object.keys(norms).map(text => text.replace(/\[[^ ]*|epsilon[^ ]*/g, '').replace(/  +/g, ' ')))].sort()

const forward = 'bnStats+bnApply x gamma beta'
const backward = 'bnBwdReduce+bnBwdApply dy x gamma mean invstd'
const inner = [`${backward} beta dgamma dbeta dx relu`, `${forward} mean invstd y relu`]
const kept = [`${backward} mask dresidual dgamma dbeta dx relu`, `${forward} residual mean invstd y mask relu`]
const erased = [`${backward} dgamma dbeta dx`, `${forward} residual mean invstd y `]

describe.each([
  ['f32', 2e-5],
  ['bf16', 0.05],
  ['f16', 0.01],
] as const)('in %s', (precision, tolerance) => {
  test.each([
    ['published', false, [...inner, ...kept]],
    ['erased', true, [...inner, ...erased]],
  ] as const)('a network that is %s trains by cuDNN to what our own kernels train it to', async (_, isErased, forms) => {
    const own = await train({ precision, erased: isErased })
    expect(own.norms).toEqual({})
    const fused = await train({ precision, erased: isErased, autotune: true }, slowKernels)
    expect(enginesOf(fused)).toEqual(['eng12'])
    expect(formsOf(fused)).toEqual([...forms].sort())
    expect(error(fused.losses, own.losses)).toBeLessThan(tolerance)
    expect(error(fused.weights, own.weights)).toBeLessThan(tolerance)
    expect(fused.warnings).toEqual([])
  })
})

test('our own kernels stay where they are faster', async () => {
  const tuned = await train({ autotune: true }, { SIM_CUDNN_ENGINES: '12 time=50' })
  expect(enginesOf(tuned)).toEqual(['own'])
  expect(tuned.weights).toEqual((await train({})).weights)
})

test('an engine that lies is not taken, and named; nor one that rounds to TF32 or is not deterministic', async () => {
  const engines = { SIM_CUDNN_ENGINES: '12 time=3;7 time=1;34 numerical=4;5 numerical=0', SIM_CUDNN_LIE: '7' }
  const tuned = await train({ autotune: true, precision: 'tf32' }, { ...slowKernels, ...engines })
  expect(enginesOf(tuned)).toEqual(['eng12'])
  for (const op of ['bnApply', 'bnBwdApply'])
    expect(tuned.warnings).toContainEqual(
      expect.stringMatching(new RegExp(`^${op} .*eng7 is not used: its results are off by \\d`)),
    )
})

test('a form that cuDNN refuses is computed by our own', async () => {
  const tuned = await train({ autotune: true }, { ...slowKernels, SIM_CUDNN_REFUSE: 'batch_norm_training' })
  expect(Object.keys(tuned.norms).filter(text => text.startsWith('bnStats'))).toEqual([])
  expect(enginesOf(tuned)).toEqual(['eng12'])
})
