// Downloads pinned Python wheels with pip, which checks their hashes, and unpacks them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fail, needTools, output } from './tools.mjs'

/** A folder inside `deps` that is removed when the process ends. */
export function temporaryFolder(deps, name) {
  mkdirSync(deps, { recursive: true })
  const folder = mkdtempSync(join(deps, `${name}-`))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Unpacks the wheels that the requirement files `lists` name, each into a folder of its own in `work`; returns these folders. */
export function unpackWheels(library, lists, work, pipOptions = []) {
  needTools({ 'Python 3 with pip': output('python3', ['-m', 'pip', '--version']) !== undefined })
  const files = lists.flatMap(list => ['-r', list])
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--dest', work]
  python(library, [...pip, ...pipOptions, ...files])
  return readdirSync(work)
    .filter(name => name.endsWith('.whl'))
    .map(name => {
      const folder = join(work, name.slice(0, -4))
      python(library, ['-m', 'zipfile', '-e', join(work, name), folder])
      return folder
    })
}

function python(library, args) {
  const { status } = spawnSync('python3', args, { stdio: ['ignore', 2, 2] })
  if (status !== 0)
    fail(`${library} could not be fetched: the command \`python3 ${args.slice(0, 3).join(' ')} …\` failed (see above).`)
}
