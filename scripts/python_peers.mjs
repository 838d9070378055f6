// Fills .deps/python with the Python packages of test/python/requirements.txt, which the tests compare with.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail, output } from './tools.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const deps = join(root, '.deps')
const target = join(deps, 'python')
const requirements = join(root, 'test', 'python', 'requirements.txt')
const stamp = 'installed.txt'

const python = output('python3', ['-c', 'import sys; print(sys.implementation.cache_tag)'])
if (python === undefined)
  fail('The tests compare with Python packages, but python3 cannot be run. Install Python 3.11 or newer with pip.')

const wanted = python + readFileSync(requirements, 'utf8')
if (existsSync(join(target, stamp)) && readFileSync(join(target, stamp), 'utf8') === wanted) process.exit(0)

mkdirSync(deps, { recursive: true })
const work = mkdtempSync(join(deps, 'python-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

console.log('Installing the Python packages that the tests compare with (162 MB) into .deps/python.')
const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '--target', work]
const { status } = spawnSync('python3', ['-m', 'pip', 'install', ...options, '-r', requirements], { stdio: 'inherit' })
if (status !== 0) {
  fail(
    'The packages of test/python/requirements.txt could not be installed with pip (see above); they need Python 3.11 or newer.',
  )
}
writeFileSync(join(work, stamp), wanted)
rmSync(target, { recursive: true, force: true })
renameSync(work, target)
