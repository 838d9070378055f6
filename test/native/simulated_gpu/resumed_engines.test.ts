/**
 * A training that is resumed goes on with the engines that `autotune` took at its start, whatever is the fastest by then. One of the two engines here
 * rounds to TF32 and the other does not, so that another choice would give other bytes.
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
const roundingIsFast = `${rounding} time=1;12 time=90`
const roundingIsSlow = `${rounding} time=90;12 time=1`
const options = { device: 'cuda', precision: 'tf32', autotune: true, epochs: 1, checkpointSeconds: 0 }

let root = ''
const folder = (name: string) => join(root, name)
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'eraserelu-resumed-'))
  expect(await train('whole', roundingIsFast)).toMatchObject({ code: 0, stderr: '' })
  expect(await train('killed', roundingIsFast, 'checkpoints/step-2')).toMatchObject({ signal: 'SIGKILL' })
}, 600_000)
afterAll(() => rmSync(root, { recursive: true }))

/** Trains in a process of its own, with an empty cache of what is known of engines; kills it as soon as a file is there. */
function train(name: string, engines: string, until?: string) {
  const cache = mkdtempSync(join(root, 'cache-'))
  const env = { ...process.env, ERASERELU_CUDA_LIBRARY: library, ERASERELU_CACHE: cache, SIM_CUDNN_ENGINES: engines }
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

/** Which engines a run took for convolutions. */
const enginesOf = (name: string) => {
  const { engines } = JSON.parse(readFileSync(join(folder(name), 'engines.json'), 'utf8')) as { engines: Record<string, string> }
  expect(Object.keys(engines).length).toBeGreaterThan(5)
  const convolutions = Object.entries(engines).filter(([computed]) => computed.startsWith('conv2d'))
  return [...new Set(convolutions.map(([, engine]) => /^eng\d+/.exec(engine)?.[0]))]
}

test('the same, and so the same bytes', async () => {
  cpSync(folder('killed'), folder('resumed'), { recursive: true, verbatimSymlinks: true })
  const { stdout, stderr } = await train('resumed', roundingIsSlow)
  expect({ stdout, stderr }).toEqual({ stdout: 'completed\n', stderr: '' })
  expect(enginesOf('resumed')).toEqual(['eng5'])
  expect(await bytesOf(folder('resumed'))).toEqual(await bytesOf(folder('whole')))
}, 600_000)

test('a file that is damaged is named, and engines are chosen anew', async () => {
  cpSync(folder('killed'), folder('damaged'), { recursive: true, verbatimSymlinks: true })
  truncateSync(join(folder('damaged'), 'engines.json'), 100)
  const { stdout } = await train('damaged', roundingIsSlow)
  expect(stdout).toBe(`${join(folder('damaged'), 'engines.json')} is damaged: engines are chosen anew\ncompleted\n`)
  expect(enginesOf('damaged')).toEqual(['eng12'])
  expect(await bytesOf(folder('damaged'))).not.toEqual(await bytesOf(folder('whole')))
}, 600_000)

test('an engine that there is no more is named, and others are chosen', async () => {
  cpSync(folder('killed'), folder('moved'), { recursive: true, verbatimSymlinks: true })
  const { stderr } = await train('moved', '12;7')
  expect(stderr).toMatch(
    /ERASERELU_ENGINE.*: another of cuDNN's engines is chosen than before: eng5: cuDNN does not offer it here/,
  )
  expect(enginesOf('moved')).not.toContain('eng5')
}, 600_000)
