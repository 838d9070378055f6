// `npm run bundle:gpu`: packs what `npm run verify:gpu` needs on a machine with a GPU but without compiler, network or clone into
// build/eraserelu-gpu-VERSION-linux-x64.tar.gz. cuDNN and the driver stay that machine's own.
//   --cuda-library FILE   another build of the GPU backend; the CUDA runtime beside it is taken too
//   --output FILE
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fail } from './tools.mjs'
import { buildVerification } from './verify_gpu/build.mjs'

/** What mail and issue trackers still take. */
const mostBytes = 60e6

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const name = `eraserelu-gpu-${version}-linux-x64`
const { values } = parseArgs({ options: { 'cuda-library': { type: 'string' }, output: { type: 'string' } } })
const output = resolve(values.output ?? join(root, 'build', `${name}.tar.gz`))
const release = join(root, 'build', 'Release')
const runtime = 'libcudart.so.13'

run('npm', ['run', '--silent', 'build:native'])
if (values['cuda-library'] === undefined) run('npm', ['run', '--silent', 'build:cuda'])
const cudaLibrary = resolve(values['cuda-library'] ?? join(release, 'eraserelu_cuda.so'))
const beside = join(dirname(cudaLibrary), runtime)

const folder = join(root, 'build', 'bundle', name)
rmSync(folder, { recursive: true, force: true })
const into = join(folder, 'build', 'Release')
mkdirSync(into, { recursive: true })
take(join(release, 'eraserelu.node'), into)
for (const name of readdirSync(release).filter(name => /^lib(dnnl|jpeg)\.so\./.test(name))) take(join(release, name), into)
take(join(release, 'licenses'), into)
take(cudaLibrary, into, 'eraserelu_cuda.so')
take(existsSync(beside) ? beside : join(root, '.deps', 'cuda', 'lib', runtime), into, runtime)
for (const file of ['LICENSE', 'NOTICE']) take(join(root, file), folder)
take(join(root, 'src', 'data', 'sample'), join(folder, 'src', 'data'))
// By its name the scripts find the folder they belong to.
writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ name: 'eraserelu', version, private: true, type: 'module' })}\n`)
take(join(root, 'scripts', 'verify_gpu', 'bundle_readme.md'), folder, 'README.md')
take(join(root, 'scripts', 'verify_gpu', 'verify.sh'), folder)
chmodSync(join(folder, 'verify.sh'), 0o755)
await buildVerification(join(folder, 'verify'))

mkdirSync(dirname(output), { recursive: true })
const tar = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-C', dirname(folder), '-cf', '-', name]
execFileSync('sh', ['-c', 'out=$1; shift; tar "$@" | gzip -9n > "$out"', 'sh', output, ...tar], { stdio: 'inherit' })
const { size } = statSync(output)
console.log(`${output}: ${(size / 1e6).toFixed(1)} MB`)
if (size > mostBytes) fail(`The bundle may have ${mostBytes / 1e6} MB: the largest files in ${folder} are too many or too large.`)

function take(from, to, as = from.replace(/.*\//, '')) {
  if (!existsSync(from)) fail(`The bundle needs ${from}, which does not exist.`)
  mkdirSync(to, { recursive: true })
  cpSync(from, join(to, as), { recursive: true, dereference: true })
}

function run(command, args) {
  if (spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 'inherit'] }).status !== 0) process.exit(1)
}
