/** The launch table of the accounting, against what the simulated GPU counts in the captured graphs of a training step. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess } from '../processes/run_process.js'
import { library } from './build.js'

async function launches(model: string, options: object): Promise<{ table: number; counted: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'launches-'))
  try {
    const environment = { ERASERELU_CUDA_LIBRARY: library, SIM_LAUNCHES: join(folder, 'launches') }
    const { stdout, stderr, code } = await runProcess('launches.ts', [model, JSON.stringify(options)], [], environment)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const graphs = (await readFile(environment.SIM_LAUNCHES, 'utf8')).trim().split('\n').map(Number)
    const counted = graphs.reduce((sum, count) => sum + count, 0)
    return { table: (JSON.parse(stdout) as { launches: number }).launches, counted }
  } finally {
    await rm(folder, { recursive: true })
  }
}

test.each([
  ['resnet20', { imageSize: 8, width: 8, precision: 'f32' }, 200],
  ['resnet20', { imageSize: 8, width: 8, precision: 'bf16', erase: 'last' }, 200],
  ['resnet20', { imageSize: 8, width: 8, precision: 'f16', shortcut: 'B' }, 210],
  ['resnet50', { imageSize: 8, precision: 'bf16' }, 500],
  ['densenet_bc_22_6', { imageSize: 8, precision: 'bf16' }, 260],
] as const)('%s %o', { timeout: 300_000 }, async (model, options, most) => {
  const { table, counted } = await launches(model, options)
  expect(table).toBe(counted)
  expect(counted).toBeLessThanOrEqual(most)
})
