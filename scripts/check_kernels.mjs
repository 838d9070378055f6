// `npm run check:kernels`: what the compiler made of every kernel of the GPU backend, for the GPUs we support. It needs no GPU.
//   - it compiles without warnings, which are errors in build:cuda, spills of registers among them;
//   - no kernel has a stack frame or local memory;
//   - bandwidth-bound kernels (kernels/bandwidth_bound.mjs) load and store 16 bytes an instruction (SASS).
// Prints a line a file and one for each bandwidth-bound kernel; ends with 1 when something is wrong.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { bandwidthBound, isNarrow } from './kernels/bandwidth_bound.mjs'
import { kernelsOf } from './kernels/disassemble.mjs'

const architectures = [80, 90, 100]
const sources = 'native/cuda/kernels'
const objects = 'build/cuda/CMakeFiles/eraserelu_cuda.dir/kernels'
const problems = []
let passed = 0
let failed = 0
const kernels = []
if (spawnSync(process.execPath, ['scripts/build_cuda.mjs'], { stdio: 'inherit' }).status !== 0) {
  console.log('\n0 passed, 1 failed')
  process.exit(1)
}
for (const file of readdirSync(sources).filter(file => file.endsWith('.cu')))
  count(() => {
    const found = kernelsOf(join(objects, `${file}.o`))
    checkMemory(file, found)
    kernels.push(...found)
  })
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

function checkMemory(file, found) {
  for (const sm of architectures)
    if (!found.some(kernel => kernel.architecture === sm)) problems.push(`${file} has no kernel for sm_${sm}`)
  for (const { name, arguments: types, architecture, stackBytes, localBytes } of found)
    if (stackBytes > 0 || localBytes > 0)
      problems.push(
        `${file}: ${name}<${types}> on sm_${architecture} has a stack frame of ${stackBytes} bytes and ${localBytes} bytes of local memory`,
      )
  const most = which => Math.max(...found.map(kernel => kernel[which]))
  const count = found.length / architectures.length
  console.log(`${file}: ${count} kernels, at most ${most('registers')} registers and ${most('stackBytes')} bytes of stack`)
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
