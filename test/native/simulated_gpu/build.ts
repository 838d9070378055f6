/** Builds the simulated GPU, its test programs, and the GPU backend on it. What is up to date is not built again. */
import { execFileSync } from 'node:child_process'

/** Returns the folder of the build. */
export function buildSimulatedGpu(): string {
  const build = 'build/simulated'
  execFileSync('cmake', ['-S', 'test/native/simulated_gpu', '-B', build], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('cmake', ['--build', build], { stdio: ['ignore', 'ignore', 'inherit'] })
  return build
}
