// `npm run test:asan`: builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs the native tests with it.
// Arguments choose other test files: npm run test:asan -- test/native/plan.test.ts
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { output } from './tools.mjs'
import { vitest } from './vitest.mjs'

const build = spawnSync(process.execPath, ['scripts/build_native.mjs', '--sanitize'], { stdio: 'inherit' })
if (build.status !== 0) process.exit(1)

// Node itself is not instrumented, so the runtimes come first by preloading; libstdc++ because they wrap its exceptions.
const runtimes = ['libasan.so', 'libubsan.so', 'libstdc++.so.6'].map(name => output('c++', [`-print-file-name=${name}`]).trim())
const chosen = process.argv.slice(2)
// The same kernels in more types, planning without kernels, and whole trainings of it: minutes for lines that the other tests reach too.
const leftOut = [
  ...['operations_16bit', 'plan_memory', 'plan_at_once', 'plan_depth', 'plan_tiled', 'chunk_memory'],
  ...['engines', 'gradients', 'low_memory'],
].map(name => `${name}.test.ts`)
const all = readdirSync('test/native')
  .filter(name => name.endsWith('.test.ts') && !leftOut.includes(name))
  .map(name => `test/native/${name}`)
const { failed } = vitest(
  [...['native', 'native-alone'].flatMap(name => ['--project', name]), ...(chosen.length > 0 ? chosen : all)],
  {
    ERASERELU_ADDON: resolve('build-asan/Release/eraserelu.node'),
    LD_PRELOAD: runtimes.join(' '),
    // V8 never frees its own memory, and test/native counts ours; too large an allocation fails as it does without sanitizers.
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  },
)
process.exit(failed > 0 ? 1 : 0)
