// Runs some of the tests that know the device `cuda`, on a build of the simulated GPU, and stops at the first failure.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

// Where vitest.config.ts has it written.
const report = 'build/test/vitest.json'

/**
 * `tests`: { file, pattern, project }, the pattern a regular expression on the whole title, the project of vitest's `native` where none is named;
 * `build`: the folder of the build. Returns what failed, in words, and how many passed.
 */
export function runTests({ file, pattern, project = 'native' }, build, order) {
  rmSync(report, { force: true })
  // Not through npx, which would hand the quotes of a pattern to a shell.
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', project, file, '-t', pattern, '--bail', '1']
  const environment = {
    ...process.env,
    ERASERELU_CUDA_LIBRARY: join(build, 'eraserelu_cuda.so'),
    SIMULATED_BUILD: build,
    ERASERELU_CACHE: 'build/mutations/cache',
    SIM_ORDER: order,
  }
  rmSync('build/mutations/cache', { recursive: true, force: true })
  const { status, stderr, error } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: environment,
    timeout: 300_000,
    killSignal: 'SIGKILL',
  })
  if (error?.code === 'ETIMEDOUT') return { failures: ['the tests hang'], passed: 0 }
  const { testResults = [] } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
  const cases = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failures = cases
    .filter(each => each.status === 'failed')
    .map(each => `${each.fullName}: ${firstLine(each.failureMessages[0])}`)
  const passed = cases.filter(each => each.status === 'passed').length
  // A kernel that reads outside its memory ends the process, as it ends the work of a GPU.
  const crash = /simulated GPU: .*/.exec(stderr ?? '')?.[0]
  if (status !== 0 && failures.length === 0)
    failures.push(crash ?? `the process ended: ${firstLine(stderr) || `exit code ${status}`}`)
  return { failures, passed }
}

const firstLine = text => (text ?? '').trim().split('\n')[0].slice(0, 200)
