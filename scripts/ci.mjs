// Every check of a commit, even after one failed: `npm test`, then the nets under the GPU backend, none of which needs a GPU
// (docs/gpu-proof.md). Ends with one line `N passed, N failed`: the sum of the steps' own such lines; a step without one counts as one.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

const simulated = { ERASERELU_CUDA_LIBRARY: resolve('build/simulated/eraserelu_cuda.so') }
const steps = [
  ['tests', 'npm test'],
  ['CUDA and cuDNN', 'node scripts/fetch_cuda.mjs --libraries'],
  ['GPU backend', 'npm run build:cuda'],
  ['simulated GPU', 'npm run test:simulated'],
  ["cuDNN's word", 'npm run check:cudnn -- --check'],
  ["the compiler's word", 'npm run check:kernels'],
  ['verify:gpu', 'npm run verify:gpu -- --small --output-dir build/verify-gpu-report', simulated],
]

let passed = 0
let failed = 0
const times = []
for (const [name, command, environment] of steps) {
  console.log(`\n=== ${name}: ${command}`)
  const start = Date.now()
  const { status, counts } = await run(command, environment)
  const seconds = Math.round((Date.now() - start) / 1000)
  const good = counts?.[0] ?? (status === 0 ? 1 : 0)
  // A step that fails without counting a failure has crashed.
  const bad = Math.max(counts?.[1] ?? 0, status === 0 ? 0 : 1)
  passed += good
  failed += bad
  times.push(`${name}: ${good} passed, ${bad} failed, in ${seconds} s`)
}
console.log()
await run('node scripts/stale_results.mjs')
console.log(`\n${times.join('\n')}\n\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/** Runs a command, shows what it says, and reads the last line of the form `N passed, N failed`. */
function run(command, environment = {}) {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...environment } })
  let counts
  let line = ''
  child.stdout.on('data', text => {
    process.stdout.write(text)
    const lines = (line + text).split('\n')
    line = lines.pop()
    for (const whole of lines) {
      const found = /^(\d+) passed, (\d+) failed$/.exec(whole)
      if (found) counts = [Number(found[1]), Number(found[2])]
    }
  })
  return new Promise(end => child.on('close', status => end({ status, counts })))
}
