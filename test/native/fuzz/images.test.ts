/** A short run of what `npm run fuzz:images` does at length: damaged image files, under the sanitizers. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildFuzzer } from './build.mjs'

test('the image decoder survives 20,000 damaged files', () => {
  const seeds = join(import.meta.dirname, 'seeds')
  const program = buildFuzzer(process.env.CXX ?? 'c++', { libFuzzer: false })
  const files = readdirSync(seeds).map(name => join(seeds, name))
  const { status, stdout, stderr } = spawnSync(program, ['20000', '1', ...files], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect({ status, stdout }).toEqual({ status: 0, stdout: '20000 files\n' })
})
