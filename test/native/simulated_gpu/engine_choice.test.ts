/** Which of cuDNN's engines a convolution gets: what is allowed, what computes right, what is fast; on a simulated cuDNN with engines of our making. */
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Precision } from '../../../src/graph/precision.js'
import type { EngineOptions } from '../../../src/runtime/policy.js'
import { runProcess } from '../processes/run_process.js'
import { library } from './build.js'

let cache = ''
beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'eraserelu-cache-'))))
afterEach(() => rmSync(cache, { recursive: true }))

interface Answer {
  engines?: string[]
  warnings?: string[]
  code?: string
  message?: string
}

async function choice(options: EngineOptions & { precision?: Precision }, environment: Record<string, string>): Promise<Answer> {
  const env = { ERASERELU_CUDA_LIBRARY: library, ERASERELU_CACHE: cache, ...environment }
  const { stdout, stderr, code } = await runProcess('gpu.ts', ['choice', JSON.stringify(options)], ['--no-warnings'], env)
  expect({ code, stderr: stderr.replace(/^simulated GPU: failure asked for in \w+\n/, '') }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Answer
}

const taken = (engine: string) => ({ engines: [`cudnn ${engine}`], warnings: [] })

// The numerical notes 0 and 4: uses tensor cores, is not deterministic.
const engines = '5 numerical=0; 34 numerical=4; 12 workspace=65536; 7'

describe('of the engines that cuDNN offers, the first is taken that the policy allows', () => {
  test.each([
    ['deterministic and without TF32 by default', {}, 'eng12'],
    ['not deterministic when that is allowed', { deterministic: false }, 'eng34'],
    ['within the workspace limit', { workspaceLimit: 65535 }, 'eng7'],
  ] as const)('%s', async (_, options, engine) => {
    expect(await choice(options, { SIM_CUDNN_ENGINES: engines })).toEqual(taken(engine))
  })

  test('when it allows none, the error has the reason against each', async () => {
    const answer = await choice({ workspaceLimit: 0 }, { SIM_CUDNN_ENGINES: '5 numerical=0;34 numerical=4;12 workspace=65536' })
    expect(answer).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(
        /conv2d .*eng5: rounds to TF32; eng34: is not deterministic; eng12: .*workspace.*65536/,
      ) as string,
    })
  })
})

describe('an engine is used only after it was seen computing right', () => {
  test('one that lies is passed over for the next, and reported', async () => {
    const { engines: used, warnings } = await choice({}, { SIM_CUDNN_ENGINES: engines, SIM_CUDNN_LIE: '12' })
    expect(used).toEqual(['cudnn eng7'])
    expect(warnings).toEqual([
      expect.stringMatching(/^ERASERELU_ENGINE conv2d .*eng12 is not used: its results are off by 0\.\d+, 1e-05 is allowed/),
    ])
  })

  test('when all lie, the error has the reason against each, fused and alone', async () => {
    const answer = await choice({}, { SIM_CUDNN_ENGINES: engines, SIM_CUDNN_LIE: '12 7' })
    const reasons = 'eng12: its results are off by .*; eng7: its results are off by .*'
    expect(answer.code).toBe('UNSUPPORTED')
    expect(answer.message).toMatch(new RegExp(`conv2d .*fused: .*${reasons}; the convolution alone: .*${reasons}`))
  })

  test('one that rounds to TF32 without saying so does not pass', async () => {
    const answer = await choice({}, { SIM_CUDNN_ENGINES: '5 rounds=1;7' })
    expect(answer.engines).toEqual(['cudnn eng7'])
    expect(answer.warnings![0]).toMatch(/eng5 is not used: its results are off by 0\.000\d+/)
  })

  test.each([
    ['tf32', '0.004'],
    ['bf16', '0.01'],
    ['f16', '0.002'],
  ] as const)('under the precision %s by what that costs', async (precision, allowed) => {
    const rounding = { SIM_CUDNN_ENGINES: engines, SIM_CUDNN_TF32: '1' }
    const right = await choice({ precision }, rounding)
    expect(right.engines).toContain('cudnn eng5')
    expect(right.warnings).toEqual([])
    rmSync(join(cache, 'engines'), { recursive: true })
    const lying = await choice({ precision }, { ...rounding, SIM_CUDNN_LIE: '5' })
    expect(lying.engines).toContain('cudnn eng12')
    expect(lying.warnings).toEqual([expect.stringContaining('eng5 is not used: its results are off by 0.16')])
    expect(lying.warnings![0]).toMatch(new RegExp(`, ${allowed} is allowed$`))
  })

  test('one that cannot be run is passed over, and tried again the next time', async () => {
    const failing = { SIM_CUDNN_ENGINES: engines, SIM_FAIL: 'cudnnBackendExecute:1' }
    const { engines: used, warnings } = await choice({}, failing)
    expect(used).toEqual(['cudnn eng7'])
    expect(warnings).toEqual([expect.stringMatching(/eng12 is not used: it cannot be run: .*this failure was asked for/)])
    expect(await choice({}, { SIM_CUDNN_ENGINES: engines })).toEqual(taken('eng12'))
  })
})

test('memory that a check cannot have is an error that names the operation', async () => {
  const answer = await choice({}, { SIM_CUDNN_ENGINES: engines, SIM_MEMORY: '8192' })
  expect(answer).toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringMatching(
      /^conv2d .*eng12 cannot be checked before its first use: \d+ bytes are not free on the GPU. Use a smaller batch.$/,
    ) as string,
  })
})

describe('what was found out is kept', () => {
  // If anything were run, it would fail, and so another engine would be taken, with a warning.
  const nothingRuns = { SIM_CUDNN_ENGINES: engines, SIM_FAIL: 'cudnnBackendExecute:1' }

  test('the next process checks nothing', async () => {
    await choice({}, { SIM_CUDNN_ENGINES: engines })
    expect(await choice({}, nothingRuns)).toEqual(taken('eng12'))
  })

  test('a liar stays rejected', async () => {
    await choice({}, { SIM_CUDNN_ENGINES: engines, SIM_CUDNN_LIE: '12' })
    expect(await choice({}, nothingRuns)).toEqual(taken('eng7'))
  })

  test('a damaged file is as good as none, and is replaced', async () => {
    await choice({}, { SIM_CUDNN_ENGINES: engines })
    const folder = join(cache, 'engines')
    const files = readdirSync(folder)
    expect(files).toHaveLength(1)
    truncateSync(join(folder, files[0]!), 40)
    expect((await choice({}, nothingRuns)).engines).toEqual(['cudnn eng7'])
    expect(await choice({}, { SIM_CUDNN_ENGINES: engines })).toEqual(taken('eng12'))
    expect(await choice({}, nothingRuns)).toEqual(taken('eng12'))
  })

  test('for its GPU only', async () => {
    await choice({}, { SIM_CUDNN_ENGINES: engines })
    expect((await choice({}, { ...nothingRuns, SIM_SM: '80' })).engines).toEqual(['cudnn eng7'])
  })
})

describe('autotune', () => {
  const timed = '5 numerical=0;12 time=30; 7 time=15;9 time=2;8 time=40'

  test('takes the fastest that computes right', async () => {
    expect(await choice({ autotune: true }, { SIM_CUDNN_ENGINES: timed })).toEqual(taken('eng9'))
    rmSync(join(cache, 'engines'), { recursive: true })
    const lying = await choice({ autotune: true }, { SIM_CUDNN_ENGINES: timed, SIM_CUDNN_LIE: '9' })
    expect(lying).toMatchObject({ engines: ['cudnn eng7'], warnings: [expect.stringMatching(/eng9 is not used/)] })
  })

  test('when all lie, the error has the reason against each', async () => {
    const answer = await choice({ autotune: true }, { SIM_CUDNN_ENGINES: timed, SIM_CUDNN_LIE: '12 7 9 8' })
    expect(answer.code).toBe('UNSUPPORTED')
    for (const engine of ['5: rounds to TF32', ...['12', '7', '9', '8'].map(name => `${name}: its results are off by`)])
      expect(answer.message).toContain(`eng${engine}`)
  })

  test('is used only when asked for, and its times are kept', async () => {
    expect(await choice({}, { SIM_CUDNN_ENGINES: timed })).toEqual(taken('eng12'))
    expect(await choice({ autotune: true }, { SIM_CUDNN_ENGINES: timed })).toEqual(taken('eng9'))
    const nothingRuns = { SIM_CUDNN_ENGINES: timed.replaceAll(/time=\d+/g, ''), SIM_FAIL: 'cudnnBackendExecute:1' }
    expect(await choice({ autotune: true }, nothingRuns)).toEqual(taken('eng9'))
    expect(await choice({}, nothingRuns)).toEqual(taken('eng12'))
  })

  test('stays within the workspace limit', async () => {
    const environment = { SIM_CUDNN_ENGINES: '12 time=20;9 workspace=4096' }
    expect(await choice({ autotune: true }, environment)).toEqual(taken('eng9'))
    expect(await choice({ autotune: true, workspaceLimit: 4095 }, environment)).toEqual(taken('eng12'))
  })
})
