// `npm run check:kernels`: what the compiler says about every kernel of the GPU backend, for the GPUs we support. It needs no GPU.
//   - it compiles without warnings, no kernel spills registers or has a stack frame (ptxas);
//   - bandwidth-bound kernels (kernels/bandwidth_bound.mjs) load and store 16 bytes an instruction (SASS).
// Prints a line a file and one for each bandwidth-bound kernel; ends with 1 when something is wrong.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { bandwidthBound, isNarrow } from './kernels/bandwidth_bound.mjs'
import { architectures, compileKernels } from './kernels/compile.mjs'
import { kernelsOf } from './kernels/disassemble.mjs'

const folder = 'native/cuda/kernels'
const files = readdirSync(folder).filter(file => file.endsWith('.cu'))
const problems = []
let passed = 0
let failed = 0
const kernels = []
await compileKernels(
  files.map(file => join(folder, file)),
  ({ file, object, log, status }) => {
    count(() => checkAssembly(basename(file), log, status))
    if (status === 0) kernels.push(...kernelsOf(object))
  },
)
console.log('\nSmallest number of instructions that move 16 bytes, loads/stores; below: how many there must be')
for (const [name, wanted] of Object.entries(bandwidthBound)) count(() => checkAccess(name, wanted))

for (const problem of problems) console.error(`\n${problem}`)
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

/** Counts a file or a kernel as passed or failed. */
function count(check) {
  const before = problems.length
  check()
  if (problems.length > before) failed++
  else passed++
}

function checkAssembly(name, log, status) {
  const found = [...log.matchAll(/(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/g)]
  const spilling = found.filter(numbers => numbers.slice(1).some(bytes => bytes !== '0'))
  const registers = [...log.matchAll(/Used (\d+) registers/g)].map(([, used]) => Number(used))
  if (status !== 0 || spilling.length > 0 || found.length === 0) return problems.push(`${name}:\n${log}`)
  const count = found.length / architectures.length
  console.log(`${name}: ${count} kernels, no spills, no stack frames, at most ${Math.max(...registers)} registers`)
}

function checkAccess(name, { loads, stores, why }) {
  const cells = architectures.map(sm => {
    const instantiations = kernels.filter(kernel => kernel.name === name && kernel.architecture === sm && !isNarrow(kernel))
    for (const kernel of instantiations)
      if (kernel.loads16 < loads || kernel.stores16 < stores)
        problems.push(
          `${name}<${kernel.arguments}> on sm_${sm} has ${kernel.loads16} loads and ${kernel.stores16} stores of 16 bytes; ` +
            `it needs ${loads} and ${stores}: ${why}`,
        )
    if (instantiations.length === 0)
      problems.push(
        `there is no kernel ${name} for sm_${sm}, which scripts/kernels/bandwidth_bound.mjs lists: rename it there too`,
      )
    const least = which => Math.min(...instantiations.map(kernel => kernel[which]))
    return instantiations.length === 0 ? 'none' : `${least('loads16')}/${least('stores16')}`
  })
  const columns = architectures.map((sm, i) => `sm_${sm} ${cells[i].padEnd(6)}`).join('  ')
  console.log(`${name.padEnd(28)} ${columns}  wanted ${loads}/${stores}: ${why}`)
}
