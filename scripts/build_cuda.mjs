// Builds the GPU backend, build/Release/eraserelu_cuda.so, with nvcc 13. It needs no GPU. What is up to date is not built again.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, needTools, output } from './tools.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'build')

needTools({ 'a C++ compiler': output(process.env.CXX ?? 'c++', ['--version']) })
if (!output('nvcc', ['--version'])?.includes('release 13.'))
  fail('nvcc 13 was not found: install the CUDA toolkit 13 (it needs no GPU).')
run(process.execPath, [join(root, 'scripts', 'fetch_cuda.mjs')])
const options = [`-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(folder, 'Release')}`, '-DCMAKE_BUILD_TYPE=Release']
run('cmake', ['-S', join(root, 'native', 'cuda'), '-B', join(folder, 'cuda'), ...options])
run('cmake', ['--build', join(folder, 'cuda'), '--parallel', String(availableParallelism())])
console.log(`Built ${join(folder, 'Release', 'eraserelu_cuda.so')}`)

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 'inherit'] })
  if (status !== 0) process.exit(1)
}
