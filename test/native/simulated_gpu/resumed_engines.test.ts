/**
 * A training that is resumed goes on with the engines that `autotune` took at its start, whatever is the fastest by then. Engine 5 rounds to TF32, so that
 * another choice would give other bytes; batch norm may not round, and has engine 7, which is faster than our own kernels at first.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { program } from '../../programs.js'
import { bytesOf } from '../../train/run_folder.js'
import { library } from './build.js'

const rounding = '5 numerical=0 rounds=1'
// Times are far apart: the work of the simulation itself is timed too.
const atFirst = { SIM_CUDNN_ENGINES: `${rounding} time=1;7 time=20;12 time=90`, SIM_KERNEL_TIME: '20' }
const byThen = { SIM_CUDNN_ENGINES: `${rounding} time=90;7 time=60;12 time=1` }
const options = { device: 'cuda', precision: 'tf32', autotune: true, epochs: 1, checkpointSeconds: 0 }

let root = ''
const folder = (name: string) => join(root, name)
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'eraserelu-resumed-'))
  expect(await train('whole', atFirst)).toMatchObject({ code: 0, stderr: '' })
  expect(await train('killed', atFirst, 'checkpoints/step-2')).toMatchObject({ signal: 'SIGKILL' })
}, 600_000)
afterAll(() => rmSync(root, { recursive: true }))

/** Trains in a process of its own, with an empty cache of what is known of engines; kills it as soon as a file is there. */
function train(name: string, simulated: Record<string, string>, until?: string) {
  const cache = mkdtempSync(join(root, 'cache-'))
  const env = { ...process.env, ERASERELU_CUDA_LIBRARY: library, ERASERELU_CACHE: cache, ...simulated }
  const script = program('test/train/processes/fit_process.ts')
  const child = spawn(process.execPath, [script, folder(name), JSON.stringify(options)], { env })
  const timer = setInterval(() => until !== undefined && existsSync(join(folder(name), until)) && child.kill('SIGKILL'), 5)
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (text: Buffer) => (said[stream] += text.toString()))
  return new Promise<typeof said & { code: number | null; signal: NodeJS.Signals | null }>(resolve =>
    child.on('close', (code, signal) => {
      clearInterval(timer)
      resolve({ ...said, code, signal })
    }),
  )
}

/** Which engines a run took for convolutions and for batch norm. */
const enginesOf = (name: string) => {
  const { engines } = JSON.parse(readFileSync(join(folder(name), 'engines.json'), 'utf8')) as { engines: Record<string, string> }
  const of = (operation: string) => {
    const taken = Object.entries(engines).filter(([computed]) => computed.startsWith(operation))
    expect(taken.length).toBeGreaterThan(5)
    return [...new Set(taken.map(([, engine]) => engine))]
  }
  return { convolutions: of('conv2d'), norms: of('bn') }
}

test('the same, and so the same bytes', async () => {
  cpSync(folder('killed'), folder('resumed'), { recursive: true, verbatimSymlinks: true })
  const { stdout, stderr } = await train('resumed', byThen)
  expect({ stdout, stderr }).toEqual({ stdout: 'completed\n', stderr: '' })
  expect(enginesOf('resumed')).toEqual({ convolutions: ['eng5'], norms: ['eng7'] })
  expect(await bytesOf(folder('resumed'))).toEqual(await bytesOf(folder('whole')))
}, 600_000)

test('a file that is damaged is named, and engines are chosen anew', async () => {
  cpSync(folder('killed'), folder('damaged'), { recursive: true, verbatimSymlinks: true })
  truncateSync(join(folder('damaged'), 'engines.json'), 100)
  const { stdout } = await train('damaged', byThen)
  expect(stdout).toBe(`${join(folder('damaged'), 'engines.json')} is damaged: engines are chosen anew\ncompleted\n`)
  const { convolutions, norms } = enginesOf('damaged')
  expect(convolutions).toEqual(['eng12'])
  expect(norms).not.toContain('eng7')
  expect(await bytesOf(folder('damaged'))).not.toEqual(await bytesOf(folder('whole')))
}, 600_000)

test('an engine that there is no more is named, and others are chosen', async () => {
  cpSync(folder('killed'), folder('moved'), { recursive: true, verbatimSymlinks: true })
  const { stderr } = await train('moved', { SIM_CUDNN_ENGINES: '12;7' })
  expect(stderr).toMatch(
    /ERASERELU_ENGINE.*: another of cuDNN's engines is chosen than before: eng5: cuDNN does not offer it here/,
  )
  expect(enginesOf('moved').convolutions).not.toContain('eng5')
}, 600_000)
