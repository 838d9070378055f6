/** Native memory: given back, and told to V8. */
import { expect, test } from 'vitest'
import { runProcess, sanitized } from './processes/run_process.js'

const MB = 2 ** 20

test.skipIf(sanitized)('200 plans made, run and disposed leave memory as it was', async () => {
  const { code, stdout, stderr } = await runProcess('many_plans.ts', [], ['--expose-gc'])
  expect(code, stderr).toBe(0)
  const [after50, after200] = JSON.parse(stdout) as { native: number; external: number }[]
  expect(after200!.native - after50!.native).toBeLessThan(12 * MB)
  expect(after200!.external - after50!.external).toBeLessThan(0.5 * MB)
})

test.skipIf(sanitized)('sessions that are forgotten are collected, because V8 knows how much they hold', async () => {
  const { code, stdout, stderr } = await runProcess('many_plans.ts', ['forget'])
  expect(code, stderr).toBe(0)
  const [after20, after120] = JSON.parse(stdout) as { native: number }[]
  // The hundred hold 12 MB each.
  expect(after120!.native - after20!.native).toBeLessThan(600 * MB)
})
