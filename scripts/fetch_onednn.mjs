// Fills .deps/onednn from the pinned wheels of onednn_wheels.txt. CMakeLists.txt runs this where no oneDNN 3 is installed.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, needTools, output } from './tools.mjs'

const scripts = dirname(fileURLToPath(import.meta.url))
const deps = join(dirname(scripts), '.deps')
const target = join(deps, 'onednn')
const list = join(scripts, 'onednn_wheels.txt')
const stamp = join(target, 'wheels.txt')

if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(list, 'utf8')) process.exit(0)

needTools({ 'Python 3 with pip': output('python3', ['-m', 'pip', '--version']) !== undefined })
mkdirSync(deps, { recursive: true })
const work = mkdtempSync(join(deps, 'onednn-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

console.error('Fetching oneDNN 3.2 (39 MB) with pip; its hash is checked.')
python('-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--dest', work, '-r', list)

const prefix = join(work, 'prefix')
for (const wheel of readdirSync(work).filter(name => name.endsWith('.whl'))) {
  const unpacked = join(work, wheel.slice(0, -4))
  python('-m', 'zipfile', '-e', join(work, wheel), unpacked)
  const data = readdirSync(unpacked).find(name => name.endsWith('.data'))
  cpSync(join(unpacked, data, 'data'), prefix, { recursive: true })
}
linkVersions(join(prefix, 'lib'))
cpSync(list, join(prefix, 'wheels.txt'))
rmSync(target, { recursive: true, force: true })
renameSync(prefix, target)

function python(...args) {
  const { status } = spawnSync('python3', args, { stdio: ['ignore', 2, 2] })
  if (status !== 0)
    fail('oneDNN could not be fetched: the command `python3 ' + args.slice(0, 3).join(' ') + ' …` failed (see above).')
}

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
