// `npm test`: every check, even after one failed. Ends with the line `N passed, N failed`: each vitest test and each other step counts.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'

const report = 'build/test/vitest.json'
const tarball = `build/test/eraserelu-${JSON.parse(readFileSync('package.json', 'utf8')).version}.tgz`
let passed = 0
let failed = 0
const failures = []

step('build', 'npm', 'run', 'build')
step('lint', 'npm', 'run', 'lint')
step('format', 'npm', 'run', 'format:check')
step('types', 'npm', 'run', 'typecheck')
step('docs', 'npm', 'run', 'docs')
step('python', 'node', 'scripts/python_peers.mjs')
vitest()
step('sanitizers', 'npm', 'run', 'test:asan')
step('pack', 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', 'build/test')
step('publint', 'npx', 'publint', '--strict', tarball)
step('attw', 'npx', 'attw', tarball)

if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function run(name, command, args) {
  console.log(`\n=== ${name}: ${command} ${args.join(' ')}`)
  const start = Date.now()
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  console.log(`=== ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${Math.round((Date.now() - start) / 1000)} s`)
  return status === 0
}

function step(name, command, ...args) {
  if (run(name, command, args)) passed++
  else fail(name, 1)
}

function fail(name, times) {
  failed += times
  failures.push(name)
}

/** Counts the tests that vitest reports; a file that could not even be loaded is one failure. */
function vitest() {
  mkdirSync('build/test', { recursive: true })
  rmSync(report, { force: true })
  const good = run('tests', 'npx', ['vitest', 'run', '--project', 'unit', '--project', 'native'])
  const result = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
  passed += result.numPassedTests
  if (result.numPendingTests > 0) console.log(`${result.numPendingTests} tests were skipped`)
  if (!good) fail('tests', Math.max(1, result.numFailedTests))
}
