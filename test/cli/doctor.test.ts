/** `eraserelu doctor` with and without an addon that can be loaded. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Diagnosis } from '../../src/cli/doctor_run.js'
import { runCli } from './run_cli.js'

let cache: string
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'doctor-'))
})

async function diagnose(env: NodeJS.ProcessEnv = {}): Promise<Diagnosis & { code: number | null }> {
  const { code, stdout, stderr } = await runCli(['doctor', '--json'], { env: { ERASERELU_CACHE: cache, ...env } })
  expect(stderr).toBe('')
  return { ...(JSON.parse(stdout) as Diagnosis), code }
}

/** Whether it is built or not. */
const notBuilt = { ERASERELU_CUDA_LIBRARY: '/nonexistent/eraserelu_cuda.so' }

it('runs every device, and says why there is no cuda', async () => {
  const { code, node, addon, devices, cpu, openmp, memory } = await diagnose({ OMP_NUM_THREADS: '1', ...notBuilt })
  expect(code).toBe(0)
  expect(node).toEqual({ version: process.version, nodeApi: Number(process.versions.napi) })
  expect(addon).toMatchObject({ loaded: true })
  expect(devices).toMatchObject([
    { name: 'cpu', works: true, library: expect.stringMatching(/^oneDNN \d/) as string, threads: 1 },
    { name: 'reference', works: true },
    {
      name: 'cuda',
      works: false,
      reason: expect.stringMatching(/the GPU backend is not built: .*npm run build:cuda.*NVIDIA driver/) as string,
    },
  ])
  expect(cpu.processors).toBeGreaterThan(0)
  expect(openmp.find(({ name }) => name === 'OMP_NUM_THREADS')).toMatchObject({ value: '1' })
  expect(openmp.find(({ name }) => name === 'GOMP_SPINCOUNT')?.meaning).toContain('set by this package')
  expect(memory.total).toBeGreaterThan(memory.free)
})

it('counts the processors before OpenMP binds this thread to one of them', async () => {
  const free = await diagnose() // keeps what it measures of bf16, so that the other says the same
  const bound = await diagnose({ OMP_PROC_BIND: 'true' })
  expect(bound.cpu.processors).toBe(free.cpu.processors)
  expect(bound.notes).toEqual(free.notes)
})

it('is readable', async () => {
  const { stdout } = await runCli(['doctor'], { env: { ERASERELU_CACHE: cache, ...notBuilt } })
  expect(stdout).toMatch(/^ {2}yes addon +\//m)
  expect(stdout).toMatch(/^ {2}yes cpu +oneDNN/m)
  expect(stdout).toMatch(/^ {2}no {2}cuda +the GPU backend is not built/m)
})

it('ends with 1 and says what to do when there is no addon', async () => {
  const { code, addon, devices } = await diagnose({ ERASERELU_ADDON: '/nonexistent' })
  expect(code).toBe(1)
  expect(addon).toMatchObject({ file: '/nonexistent', loaded: false })
  expect(addon.reason).toContain("run 'npm run build:native'")
  expect(addon.reason).toContain('ERASERELU_ADDON names this file')
  expect(devices.map(({ works }) => works)).toEqual([false])
})

it('survives a file that is no addon', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'eraserelu-doctor-')), 'broken.node')
  await writeFile(file, 'not a library')
  const { code, addon } = await diagnose({ ERASERELU_ADDON: file })
  expect(code).toBe(1)
  expect(addon.reason).toMatch(/could not be loaded from .*broken\.node: /)
})

describe('why there is no cuda, where the GPU backend is built', () => {
  /** A folder with a GPU backend that nobody gets to load, and this runtime of CUDA beside it. */
  async function reason(makeRuntime: (file: string) => unknown): Promise<{ code: number | null; reason: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'eraserelu-doctor-'))
    const library = join(folder, 'eraserelu_cuda.so')
    await writeFile(library, '')
    await makeRuntime(join(folder, 'libcudart.so.13'))
    const { code, devices } = await diagnose({ ERASERELU_CUDA_LIBRARY: library, ERASERELU_CUDA_PATH: folder })
    const found = devices.map(device => (device.works ? device.name : device))
    expect(found).toMatchObject(['cpu', 'reference', { name: 'cuda' }])
    return { code, reason: (found[2] as { reason: string }).reason }
  }

  it('survives a library that crashes while it is loaded', async () => {
    const source = '#include <stdlib.h>\n__attribute__((constructor)) static void crash(void) { abort(); }\n'
    const answer = await reason(file => execFileSync('cc', ['-shared', '-fPIC', '-o', file, '-xc', '-'], { input: source }))
    expect(answer.code).toBe(0)
    expect(answer.reason).toMatch(/a process that loaded the GPU backend to try it was ended by SIGABRT.*driver \(580 or newer\)/)
  })

  it('names the file that is no library', async () => {
    const { reason: text } = await reason(file => writeFile(file, 'not a library'))
    expect(text).toMatch(/libcudart\.so\.13 cannot be loaded: /)
  })

  const installed = execFileSync('sh', ['-c', 'ldconfig -p || /sbin/ldconfig -p'], { encoding: 'utf8' }).includes(
    'libcudart.so.13',
  )
  it.skipIf(installed)('says where it looked and what to install', async () => {
    const { reason: text } = await reason(() => undefined)
    expect(text).toMatch(/libcudart\.so\.13 was not found in \/.*eraserelu-doctor-.*system's library path/)
    expect(text).toMatch(/driver 580 or newer, the CUDA runtime 13 and cuDNN 9.*pip.*ERASERELU_CUDA_PATH/)
  })
})
