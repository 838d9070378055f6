// `npm run test:simulated`: builds the simulated GPU and the GPU backend on it, runs their own tests, and then the tests of operations,
// plans and training with the device `cuda` among the devices. Needs the CUDA headers, which it fetches, and no GPU.
// Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { vitest } from './vitest.mjs'

const library = resolve('build/simulated/eraserelu_cuda.so')
const file = name => `test/native/${name}.test.ts`
// Tests that name their device: those of others are in `npm test`.
const golden = readdirSync('test/golden').filter(name => name.endsWith('.test.ts'))
const isNetwork = name => ['families.test.ts', 'resnet20_step.test.ts', 'trajectory.test.ts'].includes(name)
const inGolden = name => `test/golden/${name}`
const byDevice = [
  ...['operations', 'operations_16bit', 'fused_convolution', 'pitched', 'chunks', 'plan_depth', 'low_memory'].map(file),
  ...golden.filter(name => !isNetwork(name)).map(inGolden),
  'test/train/precision.test.ts',
]
// For networks the simulated cuDNN has, and has not, what the real one has and has not (npm run check:cudnn).
const networks = golden.filter(isNetwork).map(inGolden)
const table = resolve('test/native/simulated_gpu/support_table.txt')
const whole = [
  ...['float16', 'microbatches', 'dropout_packs', 'plan_tiled', 'surface', 'misuse', 'mask'].map(file),
  'test/train/trainer_models.test.ts',
]

let passed = 0
let failed = 0

// Engines are checked anew: what an earlier build made of them does not count.
rmSync('build/simulated/cache', { recursive: true, force: true })
if (spawnSync('node', ['scripts/fetch_cuda.mjs'], { stdio: 'inherit' }).status !== 0) process.exit(1)
test(['--project', 'simulated'])
test(['--project', 'native', ...byDevice, '-t', 'on cuda'], { ERASERELU_CUDA_LIBRARY: library })
test(['--project', 'native', ...networks, '-t', 'on cuda'], { ERASERELU_CUDA_LIBRARY: library, SIM_CUDNN_TABLE: table })
test(['--project', 'native', ...whole], { ERASERELU_CUDA_LIBRARY: library })
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function test(args, env) {
  const result = vitest(args, env)
  passed += result.passed
  failed += result.failed
}
