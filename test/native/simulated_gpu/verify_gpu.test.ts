/** `npm run verify:gpu` and its bundle, on the simulated GPU: the report, the exit code, what a crash leaves, an empty machine. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { build, library } from './build.js'

interface Report {
  readonly simulated: boolean
  readonly passed: number
  readonly failed: number
  readonly sections: readonly {
    readonly name: string
    readonly passed: number
    readonly failed: number
    readonly cases: readonly { readonly name: string; readonly status: string; readonly message?: string }[]
  }[]
}

vi.setConfig({ testTimeout: 300_000 })

const work = mkdtempSync(join(tmpdir(), 'eraserelu-bundle-'))
const cudnn = join(work, 'cudnn')
const bundle = join(work, `eraserelu-gpu-${packageVersion()}-linux-x64`)

beforeAll(() => {
  const archive = join(work, 'bundle.tar.gz')
  const args = ['scripts/bundle_gpu.mjs', '--cuda-library', library, '--output', archive]
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('tar', ['-xzf', archive, '-C', work])
  // The machine's own.
  mkdirSync(cudnn)
  copyFileSync(join(build, 'libcudnn.so.9'), join(cudnn, 'libcudnn.so.9'))
})

afterAll(() => rmSync(work, { recursive: true }))

const empty = { PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter) }

/** Runs the bundle with this environment and nothing else. */
function verify(args: readonly string[], environment: Record<string, string>) {
  const { status, stdout } = spawnSync('./verify.sh', args, { cwd: bundle, encoding: 'utf8', env: { ...empty, ...environment } })
  return { status, stdout, ...takeReport() }
}

function takeReport() {
  const folder = join(bundle, 'verify-gpu')
  const report = JSON.parse(readFileSync(join(folder, 'verify_gpu.json'), 'utf8')) as Report
  const text = readFileSync(join(folder, 'verify_gpu.md'), 'utf8')
  rmSync(folder, { recursive: true })
  return { report, text }
}

test('in an empty environment everything passes, and the report says that it was simulated', () => {
  const { status, stdout, report, text } = verify(['--small', '--only', 'golden,memory'], { ERASERELU_CUDA_PATH: cudnn })
  expect(report.sections.flatMap(({ cases }) => cases.filter(each => each.status === 'failed'))).toEqual([])
  expect(status).toBe(0)
  expect(report.simulated).toBe(true)
  expect(report.sections.map(({ name }) => name)).toEqual(['device', 'golden', 'memory'])
  for (const { passed } of report.sections) expect(passed).toBeGreaterThan(0)
  expect(report.passed).toBeGreaterThan(180)
  expect(text).toContain('no GPU has run anything here')
  expect(stdout).toMatch(new RegExp(`\n${report.passed} passed, 0 failed\n$`))
})

test('what is missing on the machine is a failure that names it', () => {
  const { status, report, stdout } = verify(['--small'], {})
  expect(status).toBe(1)
  expect(report.sections).toHaveLength(1)
  expect(report.sections[0]!.cases[0]!.message).toMatch(/libcudnn\.so\.9 was not found.*nvidia-cudnn-cu13/)
  expect(stdout).toContain('nothing else was run')
})

test('a failure is in the report verbatim, and the other sections run all the same', () => {
  const failing = { ERASERELU_CUDA_PATH: cudnn, SIM_FAIL: 'cudaGraphLaunch:1' }
  const { status, report, text } = verify(['--small', '--only', 'bench,memory'], failing)
  expect(status).toBe(1)
  const [device, memory, bench] = report.sections
  expect([device!.failed, memory!.failed]).toEqual([0, 0])
  expect(bench!.failed).toBeGreaterThan(0)
  const { message } = bench!.cases.find(each => each.status === 'failed')!
  expect(message).toContain('cudaGraphLaunch')
  expect(text).toContain(message!.split('\n')[0])
})

test('a section whose process ends is a failure that names the case', async () => {
  const child = spawn('./verify.sh', ['--small', '--only', 'operations,memory'], {
    cwd: bundle,
    env: { ...empty, ERASERELU_CUDA_PATH: cudnn },
  })
  let killed = false
  child.stdout.on('data', (text: Buffer) => {
    if (killed || !text.toString().includes('operations: on cuda')) return
    killed = true
    const [section] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
    process.kill(Number(section), 'SIGKILL')
  })
  expect(await new Promise(end => child.on('close', end))).toBe(1)
  const [, operations, memory] = takeReport().report.sections
  const crash = operations!.cases.at(-1)!
  expect([crash.name, crash.message]).toEqual([
    expect.stringContaining('on cuda'),
    expect.stringMatching(/process of this section ended with SIGKILL; what came after this case was not run/),
  ])
  expect(operations!.failed).toBe(1)
  expect(memory!.failed).toBe(0)
})

test('a wrong command line is refused', () => {
  const { status, stderr } = spawnSync('./verify.sh', ['--only', 'operation'], { cwd: bundle, encoding: 'utf8' })
  expect(status).toBe(2)
  expect(stderr).toContain("there is no section 'operation'. Did you mean 'operations'?")
})

function packageVersion(): string {
  return (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version
}
