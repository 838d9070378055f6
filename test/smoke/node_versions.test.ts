/** The addon, built by the Node that runs the tests, also works in newer Nodes: Node-API 9 is stable across versions. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'

const nodes = fileURLToPath(new URL('./nodes/', import.meta.url))
const script = fileURLToPath(new URL('./one_step.mjs', import.meta.url))
const majors = [22, 24, 26]
const binary = (major: number): string => `${nodes}node_modules/node${major}/bin/node`

beforeAll(() => {
  if (majors.every(major => existsSync(binary(major)))) return
  execFileSync('npm', ['ci', '--ignore-scripts', '--prefix', nodes], { cwd: nodes, stdio: 'inherit' })
})

test.each(majors)('Node %i loads the addon and trains one step', major => {
  const printed = execFileSync(binary(major), [script], { encoding: 'utf8' })
  const { node, loss } = JSON.parse(printed) as { node: string; loss: number }
  expect(node.split('.')[0]).toBe(String(major))
  expect(loss).toBeGreaterThan(0)
})
