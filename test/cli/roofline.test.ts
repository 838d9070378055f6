/** `eraserelu bench --roofline`: the accounting as JSON and as a table, on a machine without a GPU and without the GPU library. */
import { expect, it } from 'vitest'
import type { RooflineResult } from '../../src/cli/roofline_run.js'
import { runCli } from './run_cli.js'

const words = ['bench', 'resnet20', '--roofline']
const env = { ERASERELU_CUDA_LIBRARY: '/nowhere/eraserelu_cuda.so' }

it('counts bytes, arithmetic and launches, and predicts the time on every GPU', async () => {
  const { code, stdout, stderr } = await runCli(
    [...words, '--batch-size', '128', '--erase', 'last', '--precision', 'bf16', '--json'],
    { env },
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const result = JSON.parse(stdout) as RooflineResult
  expect(result).toMatchObject({
    model: 'resnet20',
    task: 'training',
    relus: { total: 19, kept: 10, erased: 9 },
    batchSize: 128,
    imageSize: 32,
    precision: 'bf16',
    memory: 'normal',
  })
  expect(result).not.toHaveProperty('low')
  const sum = (key: 'bytes' | 'flops' | 'launches' | 'share') => result.operations.reduce((total, cost) => total + cost[key], 0)
  expect(sum('bytes')).toBeCloseTo(result.bytes, 3)
  expect(sum('flops')).toBeCloseTo(result.flops, 3)
  expect(sum('launches')).toBe(result.launches)
  expect(sum('share')).toBeCloseTo(1)
  // 40.55 M multiply-accumulates forward, three times that in training less the gradient of the images.
  expect(result.flops).toBe(2 * (3 * 40_551_040 - 32 * 32 * 16 * 27))
  expect(result.arenaBytes).toBeGreaterThan(0)
  expect(result.ideal!.fused).toBeLessThan(result.ideal!.unfused)
  expect(result.predictions.map(({ gpu }) => gpu)).toEqual(['A100', 'H100', 'H200'])
  for (const { milliseconds, memoryMilliseconds, imagesPerSecond, caveat } of result.predictions) {
    expect(milliseconds).toBeGreaterThanOrEqual(memoryMilliseconds)
    expect(imagesPerSecond).toBeCloseTo(128_000 / milliseconds)
    expect(caveat).toBe('prediction, no GPU has confirmed it')
  }
})

it('prints tables for people, of one GPU where one is asked for', async () => {
  const { stdout } = await runCli([...words, 'H100', '--infer'], { env })
  expect(stdout).toMatch(/^Inference of resnet20 on a GPU, batch 32, 32x32, f32, 19 of 19 ReLUs$/m)
  expect(stdout).toMatch(/^\| conv2d +\| +20 \| +20 \|/m)
  expect(stdout).toMatch(/^\| H100 +\|/m)
  expect(stdout).not.toMatch(/A100|Ideal/)
  expect(stdout).toMatch(/^This is a prediction, no GPU has confirmed it/m)
})

it('knows the names of its GPUs', async () => {
  const { code, stderr } = await runCli([...words, 'B200'])
  expect(code).toBe(2)
  expect(stderr).toMatch(/B200.*A100, H100, H200, all/s)
})

it('counts the operations that --memory low adds', async () => {
  const counted = async (...more: string[]) =>
    JSON.parse((await runCli([...words, '--batch-size', '8', '--json', ...more], { env })).stdout) as RooflineResult
  const [low, normal] = [await counted('--memory', 'low'), await counted()]
  expect(low.low).toEqual({
    alive: low.arenaBytes,
    aliveNormally: normal.arenaBytes,
    operations: low.launches - normal.launches,
    bytes: 8 * (low.bytes - normal.bytes),
    bytesNormally: 8 * normal.bytes,
  })
  expect(low.arenaBytes).toBeLessThan(normal.arenaBytes)
})
