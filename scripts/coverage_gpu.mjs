// `npm run coverage:gpu`: which lines of native/cuda/, host code and kernels, tests on the simulated GPU run, counted by gcov. Of
// `npm run test:simulated` it runs what suffices: the test programs in one order, the backend's own tests, operations and plans. Fails where a test fails, where less than 98 % of the lines run, and where a line that does not run is not in
// test/native/simulated_gpu/not_covered.mjs with its reason. Writes docs/results/gpu_coverage.json and a table in docs/gpu-proof.md.
//   --report   of the run before, whose counts are in build/coverage-gpu; written only where the sources are those that were counted
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { notCovered } from '../test/native/simulated_gpu/not_covered.mjs'
import { simulatedBackend } from '../test/native/simulated_gpu/sources.mjs'
import { replaceSection } from './replace_section.mjs'
import { digestOf } from './stale_results.mjs'

const build = 'build/coverage-gpu'
const ofCounts = `${build}/sources.digest` // what was counted
const library = resolve(build, 'eraserelu_cuda.so')
const part = 'native/cuda/'
const least = 98
const simulated = ['backend', 'engine_choice', 'io', 'norm_engines', 'resumed_engines'].map(
  name => `test/native/simulated_gpu/${name}.test.ts`,
)
const onCuda = ['operations', 'operations_16bit', 'chunks', 'pitched'].map(name => `test/native/${name}.test.ts`)
const whole = ['float16', 'microbatches', 'plan_tiled', 'mask'].map(name => `test/native/${name}.test.ts`)
/** What the counts depend on; reasons may be written when they are known. */
const counted = [
  ...simulatedBackend,
  'test/native/simulated_gpu/tests/**',
  'test/native/cases/**',
  'test/native/processes/gpu*.ts',
  'test/native/helpers.ts',
  ...[...simulated, ...onCuda, ...whole],
]
const sources = [...counted, 'test/native/simulated_gpu/not_covered.mjs', 'scripts/coverage_gpu.mjs']
const reportOnly = process.argv.includes('--report')

if (!reportOnly) runTests()
const fresh = existsSync(ofCounts) && readFileSync(ofCounts, 'utf8') === digestOf(counted)
const files = linesOf(counts())
const problems = judge(files)
const total = sum(files)
const rows = files.map(file => ({ file: file.name, lines: file.lines, covered: file.covered, percent: percent(file) }))
for (const row of rows) console.log(`${row.percent.toFixed(1).padStart(5)} % of ${String(row.lines).padStart(4)}  ${row.file}`)
console.log(`${percent(total).toFixed(1).padStart(5)} % of ${total.lines} lines`)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else if (fresh) record()
else console.log('Not recorded: the sources have changed since these lines were counted.')

/** Builds with counters, forgets the counts of earlier runs, and runs the tests. */
function runTests() {
  const run = (command, args, env = {}) => {
    const { status } = spawnSync(command, args, {
      stdio: ['ignore', command.startsWith(build) ? 'ignore' : 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    })
    if (status === 0) return
    console.error(`'${command} ${args.join(' ')}' failed: there is no coverage without it.`)
    process.exit(1)
  }
  // In threads: a process of vitest's is killed at its end, and has half a second to write its counts.
  const vitest = (project, args) =>
    run('node', ['node_modules/vitest/vitest.mjs', 'run', '--pool=threads', '--project', project, ...args], {
      SIMULATED_BUILD: build,
      ERASERELU_CUDA_LIBRARY: library,
      ERASERELU_CACHE: resolve(build, 'cache'),
    })
  run('node', ['scripts/fetch_cuda.mjs'])
  run('cmake', ['-S', 'test/native/simulated_gpu', '-B', build, '-DCOVERAGE=ON'])
  run('cmake', ['--build', build, '-j2'])
  for (const file of built('.gcda')) rmSync(file)
  rmSync(`${build}/cache`, { recursive: true, force: true })
  for (const name of readdirSync(build)) if (/^test_\w+$/.test(name)) run(`${build}/${name}`, [])
  vitest('simulated', simulated)
  vitest('native', [...onCuda, '-t', 'on cuda'])
  vitest('native', whole)
  writeFileSync(ofCounts, digestOf(counted))
}

/** How often each line with code ran: file → line → times, over all objects and instances of a template. */
function counts() {
  const times = new Map()
  for (const file of built('.gcno')) {
    const json = execFileSync('gcov', ['--json-format', '--stdout', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { files: seen, current_working_directory: folder } = JSON.parse(json)
    for (const { file: name, lines } of seen) {
      const path = relative('.', resolve(folder, name))
      if (!path.startsWith(part)) continue
      if (!times.has(path)) times.set(path, new Map())
      const ofFile = times.get(path)
      for (const { line_number: line, count } of lines) ofFile.set(line, (ofFile.get(line) ?? 0) + count)
    }
  }
  return times
}

function built(ending) {
  const names = readdirSync(build, { recursive: true })
  return names.filter(name => name.endsWith(ending)).map(name => join(build, name))
}

/** Of each file: how many lines have code, how many of them ran, and which did not. */
function linesOf(times) {
  return [...times]
    .filter(([, ofFile]) => ofFile.size > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, ofFile]) => {
      const text = readFileSync(path, 'utf8').split('\n')
      // A line of brackets alone has code only where an exception leaves the block.
      for (const line of ofFile.keys()) if (/^[\s{}()[\];,]*$/.test(text[line - 1])) ofFile.delete(line)
      const idle = [...ofFile].filter(([, count]) => count === 0).map(([line]) => ({ line, text: text[line - 1].trim() }))
      idle.sort((a, b) => a.line - b.line)
      return { name: path.slice(part.length), lines: ofFile.size, covered: ofFile.size - idle.length, idle }
    })
}

function sum(files) {
  const total = { lines: 0, covered: 0 }
  for (const { lines, covered } of files) {
    total.lines += lines
    total.covered += covered
  }
  return total
}

/** Rounded down. */
function percent({ lines, covered }) {
  return Math.floor((1000 * covered) / lines) / 10
}

/** What is wrong, a sentence each. */
function judge(files) {
  const unused = new Set(notCovered)
  const found = []
  for (const { name, idle } of files)
    for (const { line, text } of idle) {
      const known = notCovered.find(entry => entry.file === name && entry.lines.includes(text))
      if (known) unused.delete(known)
      else found.push(`${part}${name}:${line} does not run: ${text}`)
    }
  for (const { file, lines } of unused)
    found.push(`not_covered.mjs excuses a line of ${file} that does run, or is not there: ${lines[0]}`)
  if (percent(sum(files)) < least) found.push(`less than ${least} % of the lines run`)
  return found
}

function record() {
  const date = new Date().toISOString().slice(0, 10)
  const result = {
    command: 'npm run coverage:gpu',
    date,
    ...total,
    percent: percent(total),
    files: rows,
    notCovered,
    sources,
    digest: digestOf(sources),
  }
  writeFileSync('docs/results/gpu_coverage.json', `${JSON.stringify(result, undefined, 2)}\n`)
  const table = [
    `${percent(total)} % of ${total.lines} lines run (${date}). Files of which some lines do not:`,
    '',
    '| in `native/cuda/` | lines | run |',
    '|---|---|---|',
    ...rows.filter(row => row.covered < row.lines).map(row => `| ${row.file} | ${row.lines} | ${row.percent} % |`),
  ]
  replaceSection('docs/gpu-proof.md', 'coverage', table.join('\n'))
}
