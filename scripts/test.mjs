// `npm test`: every check, even after one failed. Ends with the line `N passed, N failed`: each vitest test and each other step counts.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { vitest } from './vitest.mjs'

const tarball = `build/test/eraserelu-${JSON.parse(readFileSync('package.json', 'utf8')).version}.tgz`
let passed = 0
let failed = 0
const failures = []

step('build', 'npm', 'run', 'build')
await twoAtATime(
  ['lint', 'npm', 'run', 'lint'],
  ['docs', 'npm', 'run', 'docs'],
  ['types', 'npm', 'run', 'typecheck'],
  ['format', 'npm', 'run', 'format:check'],
  ['python', 'node', 'scripts/python_peers.mjs'],
)
tests()
step('sanitizers', 'npm', 'run', 'test:asan')
step('pack', 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', 'build/test')
step('publint', 'npx', 'publint', '--strict', tarball)
step('attw', 'npx', 'attw', tarball)

if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function run(name, command, args) {
  begin(name, command, args)
  const start = Date.now()
  return end(name, start, spawnSync(command, args, { stdio: 'inherit' }).status)
}

function begin(name, command, args) {
  console.log(`\n=== ${name}: ${command} ${args.join(' ')}`)
}

/** Whether it passed. */
function end(name, start, status) {
  console.log(`=== ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${Math.round((Date.now() - start) / 1000)} s`)
  return status === 0
}

function step(name, command, ...args) {
  count(name, run(name, command, args))
}

function count(name, good) {
  if (good) passed++
  else fail(name, 1)
}

/** Steps that use one core each and nothing of one another's. What one of them says is shown when it has ended. */
async function twoAtATime(...steps) {
  const worker = async () => {
    for (let next = steps.shift(); next; next = steps.shift()) {
      const [name, command, ...args] = next
      const start = Date.now()
      const { status, said } = await quietly(command, args)
      begin(name, command, args)
      process.stdout.write(said)
      count(name, end(name, start, status))
    }
  }
  await Promise.all([worker(), worker()])
}

function quietly(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', part => said.push(part))
  return new Promise((resolve, reject) =>
    child.on('error', reject).on('close', status => resolve({ status, said: Buffer.concat(said) })),
  )
}

function fail(name, times) {
  failed += times
  failures.push(name)
}

/** Each test counts. */
function tests() {
  begin('tests', 'vitest', ['run'])
  const start = Date.now()
  const result = vitest(['unit', 'native', 'native-alone'].flatMap(name => ['--project', name]))
  end('tests', start, result.failed > 0 ? 1 : 0)
  passed += result.passed
  if (result.skipped > 0) console.log(`${result.skipped} tests were skipped`)
  if (result.failed > 0) fail('tests', result.failed)
}
