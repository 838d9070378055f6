// Runs vitest, counts what it reports and names each test that failed, so that the names can be found at the end of a long output.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { relative } from 'node:path'

const report = 'build/test/vitest.json'

/** Runs the tests that the arguments choose. `failed` is at least 1 where vitest itself failed: a file may not even have been loaded. */
export function vitest(args, env = {}) {
  mkdirSync('build/test', { recursive: true })
  rmSync(report, { force: true })
  // Not through npx, which would hand the words of a pattern to a shell.
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
  for (const { name, status, message, assertionResults } of result?.testResults ?? []) {
    const tests = assertionResults.filter(test => test.status === 'failed')
    for (const { fullName } of tests) console.log(`FAILED ${relative('.', name)}: ${fullName}`)
    if (status === 'failed' && tests.length === 0) console.log(`FAILED ${relative('.', name)}: ${message.split('\n')[0]}`)
  }
  const failed = Math.max(result?.numFailedTests ?? 0, status === 0 ? 0 : 1)
  return { passed: result?.numPassedTests ?? 0, failed, skipped: result?.numPendingTests ?? 0 }
}
