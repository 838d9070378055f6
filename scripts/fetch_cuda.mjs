// Fills .deps/cuda with the headers of CUDA, cuDNN and cudnn-frontend and with the CUDA runtime, from the pinned wheels of cuda_wheels.txt.
//   node scripts/fetch_cuda.mjs [--libraries]   --libraries: also with cuDNN, NVRTC and cuBLAS
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, unpackWheels } from './wheels.mjs'

const scripts = dirname(fileURLToPath(import.meta.url))
const deps = join(dirname(scripts), '.deps')
const target = join(deps, 'cuda')
const stamp = join(target, 'wheels.txt')

const libraries = process.argv.includes('--libraries')
const lists = ['cuda_wheels.txt', ...(libraries ? ['cuda_library_wheels.txt'] : [])].map(name => join(scripts, name))
const wanted = lists.map(list => readFileSync(list, 'utf8')).join('')

// A folder with the libraries has the headers too.
const runtime = 'libcudart.so.13'
if (existsSync(stamp) && existsSync(join(target, 'lib', runtime)) && readFileSync(stamp, 'utf8').startsWith(wanted))
  process.exit(0)

// cudnn-frontend is header only, but its wheels are made for one Python each: any will do, so always the same is taken.
const pipOptions = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none']
for (const platform of ['manylinux_2_28_x86_64', 'manylinux_2_27_x86_64', 'manylinux2014_x86_64'])
  pipOptions.push('--platform', platform)

console.error(`Fetching CUDA 13.0 and cuDNN 9.28 (${libraries ? '1.1 GB' : '620 MB'}) with pip; the hashes are checked.`)
const work = temporaryFolder(deps, 'cuda')
const prefix = join(work, 'prefix')
mkdirSync(prefix)
for (const unpacked of unpackWheels('CUDA', lists, work, pipOptions)) {
  for (const part of ['.', 'nvidia/cudnn', 'nvidia/cu13']) {
    take(join(unpacked, part, 'include'), join(prefix, 'include'))
    for (const library of libraries ? [''] : [runtime]) take(join(unpacked, part, 'lib', library), join(prefix, 'lib', library))
  }
}
writeFileSync(join(prefix, 'wheels.txt'), wanted)
rmSync(target, { recursive: true, force: true })
renameSync(prefix, target)

function take(from, to) {
  if (existsSync(from)) cpSync(from, to, { recursive: true })
}
