/** The package as users get it: packed, unpacked, imported and required, with types for both. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
mkdirSync(join(root, 'build', 'test'), { recursive: true })
const user = mkdtempSync(join(root, 'build', 'test', 'user-')) // inside the repository, so that dependencies resolve
const installed = join(user, 'node_modules', 'eraserelu')
const smoke = fileURLToPath(new URL('../smoke/one_step.mjs', import.meta.url))

beforeAll(() => {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', user], {
    cwd: root,
    encoding: 'utf8',
  })
  mkdirSync(installed, { recursive: true })
  // A package of its own: within this one, its name would mean the repository.
  writeFileSync(join(user, 'package.json'), '{}')
  execFileSync('tar', ['-xzf', join(user, packed.trim()), '-C', installed, '--strip-components=1'])
})
afterAll(() => rmSync(user, { recursive: true, force: true }))

function evaluate(type: 'module' | 'commonjs', code: string): unknown {
  const printed = execFileSync(process.execPath, [`--input-type=${type}`, '--eval', code], { cwd: user, encoding: 'utf8' })
  return JSON.parse(printed)
}

test('import and require give the same names', () => {
  const imported = evaluate('module', `import * as all from 'eraserelu'; console.log(JSON.stringify(Object.keys(all).sort()))`)
  const required = evaluate('commonjs', `console.log(JSON.stringify(Object.keys(require('eraserelu')).sort()))`)
  expect(imported).toContain('Trainer')
  expect(required).toEqual(imported)
})

const isAddonLoaded = `process.report.getReport().sharedObjects.some(file => file.endsWith('eraserelu.node'))`
const loads = `const before = ${isAddonLoaded}; loaded.devices(); console.log(JSON.stringify([before, ${isAddonLoaded}]))`

test('the addon is loaded by the first device, not by the import', () => {
  expect(evaluate('module', `import * as loaded from 'eraserelu'; ${loads}`)).toEqual([false, true])
  expect(evaluate('commonjs', `const loaded = require('eraserelu'); ${loads}`)).toEqual([false, true])
})

test('importing loads no dependency', () => {
  // A hook that names every module as it is resolved.
  const hook = `import { writeSync } from 'node:fs'
    export async function resolve(name, context, next) {
      const found = await next(name, context)
      writeSync(2, found.url + '\\n')
      return found
    }`
  const code = `import { register } from 'node:module'
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)})
    await import('eraserelu')`
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { cwd: user, encoding: 'utf8' })
  const files = stderr.split('\n').filter(url => url.startsWith('file:'))
  expect(files).toContainEqual(expect.stringContaining('/node_modules/eraserelu/dist/index.js'))
  expect(files.filter(url => !url.includes('/node_modules/eraserelu/dist/'))).toEqual([])

  const required = evaluate('commonjs', `require('eraserelu'); console.log(JSON.stringify(Object.keys(require.cache)))`)
  expect(required).toEqual([expect.stringContaining('/node_modules/eraserelu/dist/index.cjs')])
})

test('an installed package trains one step without its sources', () => {
  const printed = execFileSync(process.execPath, [smoke, installed], { cwd: user, encoding: 'utf8' })
  expect(JSON.parse(printed)).toHaveProperty('loss')
})

test.each(['esm.mts', 'cjs.cts'])('types: %s compiles', file => {
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node']
  const source = fileURLToPath(new URL(`./types/${file}`, import.meta.url))
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, source], {
    cwd: root,
    encoding: 'utf8',
  })
})
