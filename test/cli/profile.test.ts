/** `eraserelu profile` on a small network: how its numbers belong together, and the trace file. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ProfileResult } from '../../src/cli/profile_run.js'
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
]
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eraserelu-profile-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('measures every operation of a training step', async () => {
  const trace = join(folder, 'trace.json')
  const { code, stdout } = await runCli(['profile', ...small, '--erase', 'last', '--memory', 'low', '--trace', trace, '--json'])
  expect(code).toBe(0)
  const result = JSON.parse(stdout) as ProfileResult
  expect(result).toMatchObject({
    model: 'resnet20',
    task: 'training',
    relus: { kept: 10 },
    batchSize: 4,
    steps: 3,
    device: 'cpu',
    memory: 'low',
    low: { operations: 13 },
  })

  const sum = (costs: readonly { milliseconds: number; share: number; bytes: number; flops: number }[]) => ({
    milliseconds: costs.reduce((total, cost) => total + cost.milliseconds, 0),
    share: costs.reduce((total, cost) => total + cost.share, 0),
    bytes: costs.reduce((total, cost) => total + cost.bytes, 0),
    flops: costs.reduce((total, cost) => total + cost.flops, 0),
  })
  const all = sum(result.nodes)
  expect(all.share).toBeCloseTo(1)
  expect(all.milliseconds).toBeCloseTo(result.nodeMilliseconds)
  for (const part of [result.operations, result.layers]) {
    const { milliseconds, bytes, flops } = sum(part)
    expect(milliseconds).toBeCloseTo(all.milliseconds)
    expect({ bytes, flops }).toEqual({ bytes: all.bytes, flops: all.flops })
    expect(part.map(cost => cost.milliseconds)).toEqual(part.map(cost => cost.milliseconds).sort((a, b) => b - a))
  }
  expect(result.peaks.bandwidth).toBeGreaterThan(1e8)
  expect(result.peaks.rate).toBeGreaterThan(1e8)
  const { bytes, flops, milliseconds, ofRoofline } = result.nodes.find(({ op }) => op === 'conv2dBwdFilter')!
  const least = Math.max(bytes / result.peaks.bandwidth, flops / result.peaks.rate)
  expect(ofRoofline).toBeCloseTo((least * 1000) / milliseconds)
  expect(result.layers.find(({ layer }) => layer === 'layer1.0.conv1')).toMatchObject({ nodes: 3 })
  expect(result.layers.find(({ layer }) => layer === 'layer1.0.bn1')).toMatchObject({ nodes: 5 })

  const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: TraceEvent[] }
  const events = traceEvents.filter(({ ph }) => ph === 'X')
  expect(events).toHaveLength(result.nodes.length)
  events.reduce((end, { ts, dur }) => {
    expect(ts).toBeCloseTo(end)
    return ts + dur
  }, 0)
  expect(events.find(({ name }) => name === 'layer1.0.conv1 conv2d')!.args).toMatchObject({ w: '[4, 3, 3, 4] f32' })
})

it('prints tables for people', async () => {
  const { code, stdout } = await runCli(['profile', ...small, '--infer', '--layers', '3'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Inference of resnet20, batch 4, 16x16, f32, 19 of 19 ReLUs$/m)
  expect(stdout).toMatch(/^\| conv2d +\| +20 \|/m)
  expect(stdout).not.toContain('batchNorm')
  expect(stdout).toMatch(/^\d+ layers more: --layers \d+, or --json\.$/m)
  expect(stdout).toMatch(/^The roofline, measured in this run: [\d.]+ GB\/s, [\d.]+ GFLOP\/s/m)
})

it('says which devices there are', async () => {
  const { code, stderr } = await runCli(['profile', 'resnet20', '--device', 'tpu'])
  expect(code).toBe(2)
  expect(stderr).toMatch(/--device.*'cpu'/s)
})

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly ts: number
  readonly dur: number
  readonly args: Readonly<Record<string, unknown>>
}
