// Reads the machine code (SASS) of compiled kernels.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { output } from '../tools.mjs'
import { temporaryFolder, unpackWheels } from '../wheels.mjs'

/**
 * The kernels of an object file, one entry for each instantiation and GPU:
 * { name: 'binary', arguments: 'Add, float', architecture: 90, loads16, stores16 }.
 * `loads16`, `stores16`: how many instructions move 16 bytes or more between global memory and a thread.
 * They are kept beside the object file, whose name has a digest.
 */
export function kernelsOf(object) {
  const kept = object.replace(/\.o$/, '.kernels.json')
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'))
  const kernels = read(object)
  writeFileSync(kept, JSON.stringify(kernels))
  return kernels
}

function read(object) {
  const folder = disassembler()
  const options = { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } }
  const kernels = []
  let architecture
  for (const line of execFileSync('cuobjdump', ['-sass', object], options).split('\n')) {
    const [, sm] = /^\s*code for sm_(\d+)/.exec(line) ?? []
    const [, mangled] = /^\s*Function : (\S+)/.exec(line) ?? []
    if (sm) architecture = Number(sm)
    else if (mangled) kernels.push({ mangled, architecture, loads16: 0, stores16: 0 })
    else if (/\bLDG?\.E(\.\w+)*\.(128|256)\b/.test(line)) kernels.at(-1).loads16++
    else if (/\bSTG?\.E(\.\w+)*\.(128|256)\b/.test(line)) kernels.at(-1).stores16++
  }
  const names = execFileSync('c++filt', { encoding: 'utf8', input: kernels.map(kernel => kernel.mangled).join('\n') }).split('\n')
  return kernels.map(({ mangled, ...kernel }, i) => ({ ...kernel, ...readable(names[i] ?? mangled) }))
}

/** 'void eraserelu::cuda::(anonymous namespace)::binary<…Add, float>(…)' → { name: 'binary', arguments: 'Add, float' } */
function readable(demangled) {
  const plain = demangled.replaceAll(/eraserelu::(cuda::)?(\(anonymous namespace\)::)?/g, '').replace(/^void /, '')
  const [, name, rest] = /^(\w+)(.*)$/s.exec(plain) ?? [undefined, plain, '']
  if (!rest.startsWith('<')) return { name, arguments: '' }
  let depth = 0
  const end = [...rest].findIndex(letter => (depth += letter === '<' ? 1 : letter === '>' ? -1 : 0) === 0)
  return { name, arguments: rest.slice(1, end).replaceAll(/\((?:int|bool|unsigned int)\)/g, '') }
}

/** The folder of cuobjdump and nvdisasm where the toolkit lacks them; else ''. They are fetched once (5 MB). */
function disassembler() {
  if (output('cuobjdump', ['--version']) !== undefined && output('nvdisasm', ['--version']) !== undefined) return ''
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
  const deps = join(root, '.deps')
  const target = join(deps, 'disassembler')
  const list = join(root, 'scripts', 'cuda_disassembler_wheels.txt')
  const stamp = join(target, 'wheels.txt')
  const wanted = readFileSync(list, 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return target
  console.error('Fetching cuobjdump and nvdisasm (5 MB) with pip; the hashes are checked.')
  const work = temporaryFolder(deps, 'disassembler')
  const prefix = join(work, 'prefix')
  mkdirSync(prefix)
  for (const unpacked of unpackWheels('cuobjdump', [list], work))
    cpSync(join(unpacked, 'nvidia/cu13/bin'), prefix, { recursive: true })
  for (const program of ['cuobjdump', 'nvdisasm']) chmodSync(join(prefix, program), 0o755)
  writeFileSync(join(prefix, 'wheels.txt'), wanted)
  rmSync(target, { recursive: true, force: true })
  renameSync(prefix, target)
  return target
}
