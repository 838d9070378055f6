/** ERASERELU_CPU_ISA: the loops of an instruction set below the processor's best one, which other processors have as their best. */
import { describe, expect, test } from 'vitest'
import { deviceInfo } from '../../src/runtime/devices.js'
import { runProcess } from './processes/run_process.js'

/** Our names and oneDNN's, the best first. */
const sets = [
  ['avx512', 'AVX512_CORE'],
  ['avx2', 'AVX2'],
  ['sse4.2', 'SSE41'],
] as const
const best = sets.findIndex(([name]) => name === deviceInfo('cpu').instructions)

test('the best set is one of those', () => expect(best).toBeGreaterThanOrEqual(0))

describe.each(sets.slice(best + 1))('%s', (name, library) => {
  test('computes what the reference computes', async () => {
    const environment = { ERASERELU_CPU_ISA: name, ONEDNN_MAX_CPU_ISA: library }
    const { code, stdout, stderr } = await runProcess('lesser_loops.ts', [], [], environment)
    expect(code, stderr).toBe(0)
    const { instructions, cases, wrong, engines } = JSON.parse(stdout) as Record<string, unknown>
    expect(instructions).toBe(name)
    expect(wrong).toEqual([])
    expect(cases).toBeGreaterThan(500)
    expect(engines).toEqual([`winograd:${name}`, `tapwise:${name}`])
  }, 600_000) // under sanitizers
})

test.each(['', 'avx1024', ...sets.slice(0, best).map(([name]) => name)])("the value '%s' is taken or refused", async value => {
  const { stdout } = await runProcess('instructions.ts', [], [], { ERASERELU_CPU_ISA: value })
  const names = sets.slice(best).map(([name]) => `'${name}'`)
  const refused = `InvalidArgument: ERASERELU_CPU_ISA is '${value}': on this processor it may be ${names.join(', ')}`
  expect(stdout.trim()).toBe(value === '' ? sets[best]![0] : refused)
})
