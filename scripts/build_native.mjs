// Builds the addon into build/Release (with --sanitize: into build-asan/Release). What is up to date is not built again.
// CMake works in build/cmake and not in build, which node-gyp uses when it comes here through binding.gyp.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, needTools, output } from './tools.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sanitize = process.argv.includes('--sanitize')
const folder = join(root, sanitize ? 'build-asan' : 'build')

if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(`eraserelu builds on Linux x64 only, for now; this is ${process.platform} ${process.arch}.`)
}
needTools({
  'a C++ compiler': output(process.env.CXX ?? 'c++', ['--version']),
  'CMake 3.20 or newer': isAtLeast(output('cmake', ['--version']), 3, 20),
  'make or ninja': output('make', ['--version']) ?? output('ninja', ['--version']),
})

// A folder that was moved keeps a cache which CMake refuses.
const cmakeFolder = join(folder, 'cmake')
const cache = join(cmakeFolder, 'CMakeCache.txt')
if (existsSync(cache) && !readFileSync(cache, 'utf8').includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${root}\n`)) {
  rmSync(cmakeFolder, { recursive: true })
}
if (!cmakeJs('configure') || !cmakeJs('build')) process.exit(1)
console.log(`Built ${join(folder, 'Release', 'eraserelu.node')}`)

function cmakeJs(command) {
  const cli = join(dirname(createRequire(import.meta.url).resolve('cmake-js/package.json')), 'bin', 'cmake-js')
  const args = [command, '--directory', root, '--out', cmakeFolder, '--config', 'Release', '--log-level', 'error']
  args.push('--parallel', String(availableParallelism()))
  args.push(`--CDCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(folder, 'Release')}`, `--CDERASERELU_SANITIZE=${sanitize ? 'ON' : 'OFF'}`)
  return spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: 'inherit' }).status === 0
}

/** Whether `cmake version 3.25.1` and the like name this version or a newer one. */
function isAtLeast(text, major, minor) {
  const found = /version (\d+)\.(\d+)/.exec(text ?? '')
  return found !== null && (Number(found[1]) > major || (Number(found[1]) === major && Number(found[2]) >= minor))
}
