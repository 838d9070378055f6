/** Builds the simulated GPU, its test programs, and the GPU backend on it, once before the tests. What is up to date is not built again. */
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'

/** The folder of the build; SIMULATED_BUILD names one that is built already: where lines are counted (scripts/coverage_gpu.mjs), or with a fault in it (mutations/run_tests.mjs). */
export const build = resolve(process.env.SIMULATED_BUILD ?? 'build/simulated')

/** The GPU backend on the simulated GPU: what ERASERELU_CUDA_LIBRARY names. */
export const library = resolve(build, 'eraserelu_cuda.so')

export default function setup(): void {
  if (process.env.SIMULATED_BUILD !== undefined) return
  cmake('-S', 'test/native/simulated_gpu', '-B', build)
  cmake('--build', build, '--parallel', String(availableParallelism()))
}

function cmake(...args: string[]): void {
  execFileSync('cmake', args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
