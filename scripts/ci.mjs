// Every check of a commit, even after one failed: `npm test`, then the nets under the GPU backend, none of which needs a GPU
// (docs/gpu-proof.md). Ends with one line `N passed, N failed`: the sum of the steps' own such lines; a step without one counts as one.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

const simulated = { ERASERELU_CUDA_LIBRARY: resolve('build/simulated/eraserelu_cuda.so') }
// Those of a line run at the same time: the second waits for the network, or uses one core as the first does.
const steps = [
  [
    { name: 'tests', command: 'npm test' },
    { name: 'CUDA and cuDNN', command: 'node scripts/fetch_cuda.mjs --libraries' },
  ],
  [{ name: 'GPU backend', command: 'npm run build:cuda' }],
  [{ name: 'simulated GPU', command: 'npm run test:simulated' }],
  [{ name: "cuDNN's word", command: 'npm run check:cudnn -- --check' }],
  [
    { name: 'verify:gpu', command: 'npm run verify:gpu -- --small --output-dir build/verify-gpu-report', environment: simulated },
    { name: "the compiler's word", command: 'npm run check:kernels' },
  ],
]

let passed = 0
let failed = 0
const times = []
const failures = [] // the tests' own lines about them
for (const [first, ...others] of steps) {
  const beside = others.map(other => run(other))
  announce(first)
  count(first, await run(first, text => process.stdout.write(text)))
  for (const [i, other] of others.entries()) {
    const result = await beside[i]
    announce(other)
    process.stdout.write(result.said)
    count(other, result)
  }
}
console.log()
// The choice between algorithms depends on the processor.
const environment = { ERASERELU_CACHE: resolve('build/simulated/cache') }
await run({ command: 'node dist/cli/main.js doctor', environment }, text => process.stdout.write(text))
await run({ command: 'node scripts/stale_results.mjs' }, text => process.stdout.write(text))
console.log(`\n${[...times, ...failures].join('\n')}\n\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function announce({ name, command }) {
  console.log(`\n=== ${name}: ${command}`)
}

function count({ name }, { status, counts, seconds }) {
  const good = counts?.[0] ?? (status === 0 ? 1 : 0)
  // A step that fails without counting a failure has crashed.
  const bad = Math.max(counts?.[1] ?? 0, status === 0 ? 0 : 1)
  passed += good
  failed += bad
  times.push(`${name}: ${good} passed, ${bad} failed, in ${seconds} s`)
}

/** Runs a command, hands on what it says or keeps it, and reads the last line of the form `N passed, N failed` and the names of failed tests. */
function run({ command, environment = {} }, show) {
  const start = Date.now()
  const child = spawn(command, {
    shell: true,
    stdio: ['ignore', 'pipe', show ? 'inherit' : 'pipe'],
    env: { ...process.env, ...environment },
  })
  let counts
  let line = ''
  let said = ''
  const hear = show ?? (text => (said += text))
  child.stderr?.on('data', hear)
  child.stdout.on('data', text => {
    hear(text)
    const lines = (line + text).split('\n')
    line = lines.pop()
    for (const whole of lines) {
      const found = /^(\d+) passed, (\d+) failed$/.exec(whole)
      if (found) counts = [Number(found[1]), Number(found[2])]
      if (whole.startsWith('FAILED ')) failures.push(whole)
    }
  })
  return new Promise(end =>
    child.on('close', status => end({ status, counts, said, seconds: Math.round((Date.now() - start) / 1000) })),
  )
}
