// Long runs leave docs/results/*.json with { command, sources, digest, … }: `sources` are git path patterns, `digest` is what
// digestOf(sources) gave when the run was made. This names the results whose sources have changed since.
//   node scripts/stale_results.mjs                       lists stale results
//   node scripts/stale_results.mjs 'native/**' 'src/**'  prints the digest of these sources
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = 'docs/results'

/** SHA-256 over the names and contents of the files that the patterns match. */
export function digestOf(sources) {
  const patterns = sources.map(source => `:(glob)${source}`)
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns], {
    encoding: 'utf8',
  })
  const hash = createHash('sha256')
  for (const file of [...new Set(listed.split('\0'))].filter(name => name !== '' && existsSync(name)).sort()) {
    hash.update(`${file}\0`).update(createHash('sha256').update(readFileSync(file)).digest())
  }
  return hash.digest('hex')
}

function listStale() {
  const results = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.json')) : []
  for (const name of results) {
    const { sources, digest, command } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    const state = digestOf(sources) === digest ? 'fresh' : `STALE, run again: ${command}`
    console.log(`${join(folder, name)}: ${state}`)
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const sources = process.argv.slice(2)
  if (sources.length > 0) console.log(digestOf(sources))
  else listStale()
}
