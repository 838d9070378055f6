/** Runs Python scripts with the packages that scripts/python_peers.mjs installed. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../.deps/python/', import.meta.url))

/** Runs a script of this folder with `args` and gives what it prints, read as JSON; NaN and infinities are not JSON. */
export function python(script: string, ...args: string[]): unknown {
  if (!existsSync(packages)) throw new Error('the Python packages are not there; install them: node scripts/python_peers.mjs')
  const file = fileURLToPath(new URL(script, import.meta.url))
  const env = { ...process.env, PYTHONPATH: packages }
  return JSON.parse(
    execFileSync('python3', [file, ...args], { encoding: 'utf8', env, stdio: 'pipe', maxBuffer: 2 ** 28 }),
  ) as unknown
}
