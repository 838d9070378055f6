// Fills .deps/jpeg from the pinned wheel of jpeg_wheels.txt. CMakeLists.txt runs this where no libjpeg-turbo is installed.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, unpackWheels } from './wheels.mjs'

const scripts = dirname(fileURLToPath(import.meta.url))
const deps = join(dirname(scripts), '.deps')
const target = join(deps, 'jpeg')
const list = join(scripts, 'jpeg_wheels.txt')
const stamp = join(target, 'wheels.txt')

if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(list, 'utf8')) process.exit(0)

console.error('Fetching libjpeg-turbo 3.1.0 (0.3 MB) with pip; its hash is checked.')
const work = temporaryFolder(deps, 'jpeg')
// The wheel asks for a newer Python than is needed to unpack it.
const pipOptions = ['--python-version', '3.12', '--platform', 'manylinux_2_28_x86_64']
const [unpacked] = unpackWheels('libjpeg-turbo', [list], work, pipOptions)
const data = readdirSync(unpacked).find(name => name.endsWith('.data'))
const prefix = join(work, 'prefix')
cpSync(join(unpacked, data, 'purelib', 'libjpeg', 'install'), prefix, { recursive: true })
cpSync(list, join(prefix, 'wheels.txt'))
rmSync(target, { recursive: true, force: true })
renameSync(prefix, target)
