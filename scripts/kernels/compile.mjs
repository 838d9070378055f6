// Compiles .cu files for the GPUs we support, with warnings as errors, two at a time. What has been compiled is found again under a
// digest of all that it was made from.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fail, output } from '../tools.mjs'

export const architectures = [80, 90, 100]
const options = [
  '-std=c++17',
  '-O3',
  '-Werror',
  'all-warnings',
  '-Xcompiler',
  '-Wall,-Wextra,-Werror',
  '-Xptxas',
  '-v',
  '-Inative',
]
const targets = architectures.flatMap(sm => ['-gencode', `arch=compute_${sm},code=sm_${sm}`])
const out = 'build/kernels'
const atOnce = 2

/** Calls `done({ file, object, log, status })` for each file as it is compiled. `log`: what ptxas -v says, or the errors. */
export async function compileKernels(files, done) {
  const version = output('nvcc', ['--version'])
  if (!version?.includes('release 13.')) fail('nvcc 13 was not found: install the CUDA toolkit 13 (it needs no GPU).')
  mkdirSync(out, { recursive: true })
  const waiting = [...files]
  const work = async () => {
    for (let file; (file = waiting.shift()) !== undefined;) done({ file, ...(await compile(file, version)) })
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

async function compile(file, version) {
  const stem = join(out, `${basename(file)}.${digestOf(file, version)}`)
  const [object, kept] = [`${stem}.o`, `${stem}.log`]
  if (existsSync(object) && existsSync(kept)) return { object, log: readFileSync(kept, 'utf8'), status: 0 }
  const { status, log } = await nvcc([...options, ...targets, '-c', file, '-o', object])
  if (status === 0) writeFileSync(kept, log)
  return { object, log, status }
}

function nvcc(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('nvcc', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    child.stderr.setEncoding('utf8').on('data', text => (log += text))
    child.on('error', reject)
    child.on('close', status => resolve({ status, log }))
  })
}

/** Of the compiler, its options, the file and all of our headers that it includes. */
function digestOf(file, version) {
  const hash = createHash('sha256').update(`${version}\0${[...options, ...targets].join(' ')}`)
  const seen = new Set()
  const add = path => {
    if (seen.has(path)) return
    seen.add(path)
    const text = readFileSync(path, 'utf8')
    hash.update(`\0${path}\0${text}`)
    for (const [, header] of text.matchAll(/^#include "(.+)"$/gm)) {
      const ours = join('native', header)
      if (existsSync(ours)) add(ours)
    }
  }
  add(file)
  return hash.digest('hex').slice(0, 16)
}
