// A copy of the sources of the simulated GPU and of the backend on it, in which faults can be made.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

const parts = ['native', 'test/native/simulated_gpu']

export class Copy {
  constructor(folder) {
    this.tree = join(folder, 'tree')
    // Lies in the copy as the original's lies in the clone: with paths relative to each, ccache finds what was compiled there.
    this.buildFolder = resolve(this.tree, 'build', 'simulated')
    /** The file with a fault, and what it is without. */
    this.changed = undefined
    this.fill()
  }

  /** Throws unless the text of a fault is in its file exactly once. */
  check({ name, file, find }) {
    const times = readFileSync(join('native/cuda', file), 'utf8').split(find).length - 1
    if (times !== 1)
      throw new Error(
        `the fault '${name}' wants to change a text that is ${times} times in native/cuda/${file}, not once:\n${find}`,
      )
  }

  /** Makes one fault, and takes back the one before. */
  apply({ file, find, replace }) {
    this.restore()
    const path = join(this.tree, 'native/cuda', file)
    const text = readFileSync(path, 'utf8')
    this.changed = { path, text }
    writeFileSync(
      path,
      text.replace(find, () => replace),
    )
  }

  restore() {
    if (this.changed) writeFileSync(this.changed.path, this.changed.text)
    this.changed = undefined
  }

  build() {
    const cache = spawnSync('ccache', ['--version']).status === 0 ? ['-DCMAKE_CXX_COMPILER_LAUNCHER=ccache'] : []
    const simulated = join(this.tree, 'test/native/simulated_gpu')
    const environment = { ...process.env, CCACHE_BASEDIR: resolve(this.tree), CCACHE_NOHASHDIR: '1' }
    const options = { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', env: environment }
    // A warning about a fault, such as an unused parameter, is no reason not to try it.
    const flags = ['-DCMAKE_CXX_FLAGS=-w', ...cache]
    execFileSync('cmake', ['-S', resolve(simulated), '-B', this.buildFolder, ...flags], options)
    execFileSync('cmake', ['--build', this.buildFolder, '--target', 'eraserelu_cuda', '-j2'], options)
  }

  /** Brings the copy up to date; files that are the same keep their times, so that they are not compiled again. */
  fill() {
    mkdirSync(this.tree, { recursive: true })
    if (!existsSync(join(this.tree, '.deps'))) symlinkSync(resolve('.deps'), join(this.tree, '.deps'))
    for (const part of parts) {
      const wanted = filesOf(part)
      const [from, to] = [resolve(part), join(this.tree, part)]
      for (const name of filesOf(to)) if (!wanted.includes(name)) rmSync(join(to, name))
      for (const name of wanted) {
        const text = readFileSync(join(from, name))
        const target = join(to, name)
        if (!existsSync(target) || !readFileSync(target).equals(text)) cpSync(join(from, name), target)
      }
    }
  }
}

/** All files below a folder, by their path in it. */
function filesOf(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
}
