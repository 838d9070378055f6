/** The package as users get it: packed, unpacked, imported and required, with types for both. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
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
