/** `eraserelu bench` on a small network: few steps, so only the form of the numbers and how they belong together. */
import { expect, it } from 'vitest'
import type { BenchResult } from '../../src/cli/bench_run.js'
import { runCli } from './run_cli.js'

const small = [
  'resnet20',
  '--model-kwargs',
  'width=4',
  '--image-size',
  '16',
  '--batch-size',
  '4',
  '--steps',
  '3',
  '--warmup',
  '1',
  '--autotune',
]

it.each(['training', 'inference'] as const)('measures %s', async task => {
  const words = [...small, '--threads', '1', '--erase', 'last', ...(task === 'inference' ? ['--infer'] : []), '--json']
  const { code, stdout, stderr } = await runCli(['bench', ...words])
  expect(code).toBe(0)
  const result = JSON.parse(stdout) as BenchResult
  expect(result).toMatchObject({
    model: 'resnet20',
    task,
    relus: { total: 19, kept: 10, erased: 9 },
    batchSize: 4,
    imageSize: 16,
    steps: 3,
    device: 'cpu',
    library: expect.stringContaining('oneDNN') as string,
    threads: 1,
  })
  const { median, min, max, p10, p90 } = result.milliseconds
  expect(min).toBeGreaterThan(0)
  expect([min, p10, median, p90, max]).toEqual([min, p10, median, p90, max].sort((a, b) => a - b))
  expect(result.imagesPerSecond).toBeCloseTo((4 / median) * 1000)
  expect(result.peakBytes).toBeGreaterThan(result.plannedBytes)
  expect(stderr).toContain('step 4/4')
})

it('tells what --memory low gives and costs', async () => {
  const measured = async (...words: string[]) =>
    JSON.parse((await runCli(['bench', ...small, '--json', ...words])).stdout) as BenchResult
  const [low, normal] = [await measured('--memory', 'low'), await measured()]
  expect([low.memory, normal.memory, normal.low]).toEqual(['low', 'normal', undefined])
  expect(low.plannedBytes).toBeLessThan(normal.plannedBytes)
  expect(low.low!.operations).toBe(13)
  expect(low.low!.alive).toBeLessThan(low.low!.aliveNormally)
  const { stdout } = await runCli(['bench', ...small, '--memory', 'low'])
  expect(stdout).toMatch(
    /^Memory 'low': activations and gradients take .* \(\d+ % less\), for 13 operations more, .* % more\)\.$/m,
  )
})

it('prints a table for people', async () => {
  const { stdout } = await runCli(['bench', ...small])
  expect(stdout).toMatch(/^Training step of resnet20, batch 4, 16x16, f32, 19 of 19 ReLUs$/m)
  expect(stdout).toMatch(/ms a step, median +\| +[\d.]+ \|/)
  expect(stdout).toMatch(/^cpu: oneDNN .*threads: \d+/m)
})
