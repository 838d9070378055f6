/** Batch norm by one graph of cuDNN, which `autotune` takes where it is faster than our own kernels; on a simulated cuDNN, with kernels of ours that are made slow. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
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

interface Norm {
  results: Record<string, number[]>
  engines: string[]
  choices: Record<string, string>
  warnings: string[]
}
type NormOptions = Record<string, unknown>

async function processed<Answer>(scenario: string, options: object, environment: Record<string, string>): Promise<Answer> {
  const env = { ERASERELU_CUDA_LIBRARY: library, ERASERELU_CACHE: cache, SIM_CUDNN_ENGINES: '12', ...environment }
  const { stdout, stderr, code } = await runProcess('gpu.ts', [scenario, JSON.stringify(options)], ['--no-warnings'], env)
  expect({ code, stderr, failed: /^\{"code".*/.exec(stdout)?.[0] }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Answer
}

const train = (options: Options, environment: Record<string, string> = {}) => processed<Training>('norms', options, environment)

/** One batch norm. */
const norm = (options: NormOptions, environment: Record<string, string> = {}) => processed<Norm>('norm', options, environment)

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

test.each(['f32', 'bf16'] as const)('in %s engines that compute statistics badly are not taken, and named', async precision => {
  const engines = '12 time=3;7 time=1 no_epsilon=1;8 time=1 one_pass=1;9 time=1 rounds=1'
  const tuned = await train({ autotune: true, precision }, { ...slowKernels, SIM_CUDNN_ENGINES: engines })
  const forwards = Object.entries(tuned.norms).filter(([text]) => text.startsWith('bnStats'))
  expect(forwards.length).toBeGreaterThan(0)
  for (const [, engine] of forwards) expect(engine).toMatch(/^eng12/)
  const named = (op: string) =>
    ['eng7', 'eng8', 'eng9'].filter(engine =>
      tuned.warnings.some(text => new RegExp(`^${op} .*${engine} is not used: its results`).test(text)),
    )
  expect(named('bnApply')).toEqual(['eng7', 'eng8', 'eng9'])
  expect(named('bnBwdApply')).toEqual(['eng9'])
})

// In the order in which the engine writes them: mean, invstd, y, mask; the residual's gradient, dx, dgamma, dbeta.
test('an engine that is wrong in one of its results, or does not write it, is not taken, and named', async () => {
  const results = [1, 2, 3, 4]
  // Right results lie where those leave theirs out.
  const wrong = [...results.map(each => `7${each} leaves=${each}`), ...results.map(each => `8${each} lies=${each}`)]
  const tuned = await train({ autotune: true }, { ...slowKernels, SIM_CUDNN_ENGINES: ['12 time=3', ...wrong].join(';') })
  const withMask = Object.entries(tuned.norms).filter(([text]) => text.includes(' mask'))
  expect([...new Set(withMask.map(([, engine]) => engine))]).toEqual(['eng12'])
  for (const op of ['bnApply', 'bnBwdApply'])
    for (const engine of wrong.map(text => `eng${text.slice(0, 2)}`))
      expect(tuned.warnings).toContainEqual(expect.stringMatching(new RegExp(`^${op} .*${engine} is not used: its results`)))
})

test('a form that cuDNN refuses is computed by our own', async () => {
  const tuned = await train({ autotune: true }, { ...slowKernels, SIM_CUDNN_REFUSE: 'batch_norm_training' })
  expect(Object.keys(tuned.norms).filter(text => text.startsWith('bnStats'))).toEqual([])
  expect(enginesOf(tuned)).toEqual(['eng12'])
})

describe('one batch norm', () => {
  const slow = { SIM_KERNEL_TIME: '8' }

  test.each([false, true])('of images is computed by cuDNN, with any epsilon and a workspace (gradient: %s)', async gradient => {
    const form = { gradient, epsilon: 0.1 }
    const { engines, choices, results } = await norm(
      { ...form, autotune: true },
      { ...slow, SIM_CUDNN_ENGINES: '12 workspace=4096' },
    )
    expect(engines).toEqual([expect.stringMatching(/^cudnn eng12/), expect.stringMatching(/^cudnn eng12/)])
    expect(Object.values(choices)).toEqual([expect.stringMatching(/^eng12/)])
    const own = await norm(form)
    expect(Object.keys(results)).toEqual(Object.keys(own.results))
    for (const [name, values] of Object.entries(own.results)) expect(error(results[name]!, values)).toBeLessThan(1e-5)
  })

  test.each([
    ['of vectors', { shape: [16, 8] }],
    ['of volumes', { shape: [2, 2, 3, 8, 8] }],
    ['with two different activations', { activations: ['identity', 'relu'], gradient: true }],
  ] as const)('%s is not: cuDNN has no such graph', async (_, form) => {
    for (const gradient of 'gradient' in form ? [true] : [false, true]) {
      const own = await norm({ ...form, gradient })
      expect(await norm({ ...form, gradient, autotune: true }, slow)).toEqual(own)
    }
  })

  test('is another one with an epsilon that is a little different', async () => {
    const forms = []
    for (const epsilon of [1e-5, 1e-5 * (1 + 1e-9)])
      forms.push(...Object.keys((await norm({ epsilon, autotune: true }, slow)).choices))
    expect(new Set(forms).size).toBe(2)
  })

  test('is timed with the variance that cuDNN does not write', async () => {
    const nearly = { SIM_KERNEL_TIME: '30', SIM_CUDNN_ENGINES: '12 time=75' }
    expect(Object.values((await norm({ autotune: true }, nearly)).choices)).toEqual(['own'])
    expect(Object.values((await norm({ autotune: true, gradient: true }, nearly)).choices)).toEqual([
      expect.stringMatching(/^eng12/),
    ])
  })

  test('is computed by our own kernels where there is no memory to check another', async () => {
    const full = { ...slow, SIM_CUDNN_ENGINES: '12 workspace=100000000;7 workspace=200000000', SIM_MEMORY: '50000000' }
    const { choices, warnings } = await norm({ autotune: true }, full)
    expect(Object.values(choices)).toEqual(['own'])
    expect(warnings).toEqual([
      expect.stringMatching(
        /^bnApply .*: cuDNN's engine eng12 cannot be checked before its first use: 100000000 bytes are not free on the GPU$/,
      ),
    ])
    expect(
      Object.values((await norm({ autotune: true }, { ...full, SIM_CUDNN_ENGINES: '12 workspace=100000000;7' })).choices),
    ).toEqual(['eng7'])
  })

  test.each([
    ['that is not there', 'eng5', 'cuDNN does not offer it here'],
    ['that computes wrong', 'eng12', 'its results are off by'],
  ])('names our own kernels where they are chosen instead of an engine of before %s', async (_, engine, reason) => {
    const [form] = Object.keys((await norm({ autotune: true }, slow)).choices)
    rmSync(join(cache, 'engines'), { recursive: true })
    const before = { autotune: true, choices: { [form!]: engine } }
    const { warnings, choices } = await norm(before, { ...slow, SIM_CUDNN_LIE: '12' })
    expect(choices).toEqual({ [form!]: 'own' })
    expect(warnings).toContainEqual(
      expect.stringMatching(
        new RegExp(`^bnApply .*: our own kernels are chosen, not cuDNN's engine of before: ${engine}: ${reason}`),
      ),
    )
  })

  test('is known by the kernels of ours that it was compared with', async () => {
    await norm({ autotune: true }, slow)
    const folder = join(cache, 'engines')
    const [file] = readdirSync(folder)
    expect(readFileSync(join(folder, file!), 'utf8')).toMatch(/^.*\n.*; bnStats\+bnApply .*; own kernels \d+\n/)
  })
})
