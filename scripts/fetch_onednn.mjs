// Fills .deps/onednn from the pinned wheels of onednn_wheels.txt. CMakeLists.txt runs this where no oneDNN 3 is installed.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, unpackWheels } from './wheels.mjs'

const scripts = dirname(fileURLToPath(import.meta.url))
const deps = join(dirname(scripts), '.deps')
const target = join(deps, 'onednn')
const list = join(scripts, 'onednn_wheels.txt')
const stamp = join(target, 'wheels.txt')

if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(list, 'utf8')) process.exit(0)

console.error('Fetching oneDNN 3.2 (39 MB) with pip; its hash is checked.')
const work = temporaryFolder(deps, 'onednn')
const prefix = join(work, 'prefix')
for (const unpacked of unpackWheels('oneDNN', [list], work)) {
  const data = readdirSync(unpacked).find(name => name.endsWith('.data'))
  cpSync(join(unpacked, data, 'data'), prefix, { recursive: true })
}
linkVersions(join(prefix, 'lib'))
cpSync(list, join(prefix, 'wheels.txt'))
rmSync(target, { recursive: true, force: true })
renameSync(prefix, target)

/** A wheel holds no links, so it carries the library three times: libdnnl.so, .so.3 and .so.3.2. Keeps one. */
function linkVersions(folder) {
  const names = readdirSync(folder)
    .filter(name => name.startsWith('libdnnl.so'))
    .sort((a, b) => a.length - b.length)
  const real = names.pop()
  for (const name of names) {
    rmSync(join(folder, name))
    symlinkSync(real, join(folder, name))
  }
}
