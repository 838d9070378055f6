// Reads what the compiler made of the kernels of an object file: their use of registers and memory, and their machine code (SASS).
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { output } from '../tools.mjs'
import { temporaryFolder, unpackWheels } from '../wheels.mjs'

/**
 * The kernels of an object file, one entry for each instantiation and GPU:
 * { name: 'binary', arguments: 'Add, float', architecture: 90, registers, stackBytes, localBytes, loads16, stores16 }.
 * `loads16`, `stores16`: how many instructions move 16 bytes or more between global memory and a thread.
 */
export function kernelsOf(object) {
  const kernels = new Map()
  for (const { architecture, mangled, line } of linesOf('-res-usage', object, / Function (\S+):/)) {
    const [, registers, stack, local] = /REG:(\d+) STACK:(\d+) .*LOCAL:(\d+)/.exec(line) ?? []
    if (registers === undefined) continue
    const use = { registers: Number(registers), stackBytes: Number(stack), localBytes: Number(local) }
    kernels.set(`${architecture} ${mangled}`, { mangled, architecture, ...use, loads16: 0, stores16: 0 })
  }
  for (const { architecture, mangled, line } of linesOf('-sass', object, /^\s*Function : (\S+)/)) {
    const kernel = kernels.get(`${architecture} ${mangled}`)
    if (/\bLDG?\.E(\.\w+)*\.(128|256)\b/.test(line)) kernel.loads16++
    else if (/\bSTG?\.E(\.\w+)*\.(128|256)\b/.test(line)) kernel.stores16++
  }
  const names = execFileSync('c++filt', {
    encoding: 'utf8',
    input: [...kernels.values()].map(kernel => kernel.mangled).join('\n'),
  })
  const demangled = names.split('\n')
  return [...kernels.values()].map(({ mangled, ...kernel }, i) => ({ ...kernel, ...readable(demangled[i] ?? mangled) }))
}

/** What cuobjdump says with an option, line by line, with the GPU and the kernel that the lines are about. */
function* linesOf(option, object, kernelHeading) {
  const options = { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, PATH: `${disassembler()}:${process.env.PATH}` } }
  let architecture
  let mangled
  for (const line of execFileSync('cuobjdump', [option, object], options).split('\n')) {
    architecture = Number(/^\s*(?:code for|arch =) sm_(\d+)/.exec(line)?.[1] ?? architecture)
    const heading = kernelHeading.exec(line)
    mangled = heading?.[1] ?? mangled
    if (mangled !== undefined && !heading) yield { architecture, mangled, line }
  }
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
