/** `node-gyp rebuild` reaches the CMake build through binding.gyp. A copy with a tiny native/ keeps it quick. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../../', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'eraserelu-gyp-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

const tinyAddon = `
#include <dnnl.h>
#include <napi.h>
static Napi::Object init(Napi::Env, Napi::Object exports) {
  exports.Set("oneDnnMajor", dnnl_version()->major);
  return exports;
}
NODE_API_MODULE(eraserelu, init)
`

/** Headers installed with this Node, so that node-gyp need not download them. */
function headersOption(): string[] {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include', 'node', 'common.gypi')) ? [`--nodedir=${prefix}`] : []
}

test('node-gyp rebuild makes build/Release/eraserelu.node, and node-gyp build skips what is up to date', () => {
  for (const name of ['package.json', 'CMakeLists.txt', 'binding.gyp', 'scripts'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  for (const name of ['node_modules', '.deps']) if (existsSync(join(root, name))) symlinkSync(join(root, name), join(copy, name))
  const isSource = (name: string) => /\.(cc|cu)$/.test(name)
  cpSync(join(root, 'native'), join(copy, 'native'), { recursive: true, filter: name => !isSource(name) })
  writeFileSync(join(copy, 'native', 'binding', 'addon.cc'), tinyAddon)
  writeFileSync(join(copy, 'native', 'onednn', 'simd', 'loops.cc'), '')

  const gyp = (command: string): string =>
    execFileSync(process.execPath, [require.resolve('node-gyp/bin/node-gyp.js'), command, ...headersOption()], {
      cwd: copy,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  expect(gyp('rebuild')).toContain('Built ')
  const addon = require(join(copy, 'build', 'Release', 'eraserelu.node')) as { oneDnnMajor: number }
  expect(addon.oneDnnMajor).toBe(3)
  expect(gyp('build')).not.toContain('Built ')
})
