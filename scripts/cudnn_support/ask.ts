/** A libcudnn that answers without a GPU: where it lies, and what it needs around it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const simulated = join(root, 'test/native/simulated_gpu')
export const build = join(root, 'build/simulated')

/** Builds programs of the simulated GPU. */
export function buildPrograms(...targets: string[]): void {
  run('node', [join(root, 'scripts/fetch_cuda.mjs')])
  run('cmake', ['-S', simulated, '-B', build])
  run('cmake', ['--build', build, '--target', ...targets])
}

/** "9.28.1" */
export function cudnnVersion(): string {
  const header = readFileSync(join(root, '.deps/cuda/include/cudnn_version.h'), 'utf8')
  return ['MAJOR', 'MINOR', 'PATCHLEVEL'].map(part => new RegExp(`CUDNN_${part} (\\d+)`).exec(header)![1]).join('.')
}

/** The folder of libcudnn.so.9, libcublasLt.so.13 and libnvrtc.so.13: that of the option `--libraries`, else fetched (1.1 GB). */
export function librariesFolder(): string {
  const option = process.argv.indexOf('--libraries')
  if (option >= 0) return process.argv[option + 1] ?? fail('--libraries needs a folder')
  run('node', [join(root, 'scripts/fetch_cuda.mjs'), '--libraries'])
  return join(root, '.deps/cuda/lib')
}

/**
 * A folder with a libcuda.so.1 whose every function fails: cuDNN loads the driver before it answers, but does not need it to.
 * The simulated CUDA runtime is there too: our kernels, as built for it, need it, and cuDNN brings its own.
 */
export function stubDriver(libraries: string): string {
  const folder = join(build, 'stub_driver')
  mkdirSync(folder, { recursive: true })
  const header = readFileSync(join(root, '.deps/cuda/include/cuda.h'), 'latin1')
  const engines = readFileSync(join(libraries, 'libcudnn_engines_runtime_compiled.so.9'), 'latin1')
  const names = new Set(
    [...header.matchAll(/\bcu[A-Z]\w+(?=\()/g), ...engines.matchAll(/(?<=\0)cu[A-Z]\w+(?=\0)/g)].map(match => match[0]),
  )
  const failed = 34 // CUDA_ERROR_STUB_LIBRARY
  writeFileSync(join(folder, 'stub.c'), [...names].map(name => `int ${name}(void) { return ${failed}; }\n`).join(''))
  run('cc', ['-shared', '-fPIC', '-w', '-Wl,-soname,libcuda.so.1', '-o', join(folder, 'libcuda.so.1'), join(folder, 'stub.c')])
  const runtime = join(folder, 'libcudart.so.13')
  rmSync(runtime, { force: true })
  symlinkSync(join(build, 'libcudart.so.13'), runtime)
  return folder
}

/** Ends the process with a message. */
export function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

function run(command: string, args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}
