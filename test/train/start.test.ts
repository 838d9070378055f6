/** `eraserelu start` on a few images: what it prints, what it leaves on the disk, and how it ends when it is stopped. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readSafetensors } from '../../src/interop/safetensors.js'
import { create } from '../../src/models/index.js'
import type { Summary } from '../../src/train/comparison_summary.js'
import { fewImages } from '../cli/few_images.js'
import { runCli, type Finished, type RunOptions } from '../cli/run_cli.js'

interface Metric {
  step: number
  epoch: number
  loss: number
  accuracy: number
  learningRate: number
}

const few = { train: 256, t10k: 100 }
const arms = ['baseline', 'erased'] as const
let root: string
let images: string

const at = (...names: string[]) => join(root, ...names)
const text = (...names: string[]) => readFile(at(...names), 'utf8')
const summaryIn = async (folder: string) => JSON.parse(await text(folder, 'summary.json')) as Summary

async function metricsIn(folder: string, arm: string): Promise<Metric[]> {
  const lines = (await text(folder, arm, 'metrics.jsonl')).trimEnd().split('\n')
  return lines.map(line => JSON.parse(line) as Metric)
}

function start(folder: string, words: string[], options: RunOptions = {}): Promise<Finished> {
  const data = ['--dataset', 'fashion-mnist', '--data-path', images]
  return runCli(['start', ...data, '--output-dir', at(folder), ...words], options)
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-start-'))
  images = await fewImages(at('images'), few)
})

describe('a whole run', () => {
  let finished: Finished
  let summary: Summary

  beforeAll(async () => {
    finished = await start('whole', ['--epochs', '2'])
    summary = await summaryIn('whole')
  })

  it('prints plain lines and one table', () => {
    const { code, stdout, stderr } = finished
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^as published, epoch 2\/2: test accuracy \d+\.\d\d %, loss \d+\.\d{4}, \d+ images\/s$/m)
    expect(stdout).toMatch(/^last ReLU erased, epoch 1\/2: test accuracy /m)
    expect(stdout).toMatch(/^\| ReLUs erased +\| +0 \| +9 \|$/m)
    expect(stdout).toMatch(/^\| ReLUs kept +\| +19 \| +10 \|$/m)
    expect(stdout).not.toMatch(/[^\n -~]/)
  })

  it('sums up in summary.json', () => {
    const { status, settings, dataset, parameters, peakProcessBytes, versions, machine } = summary
    expect(status).toBe('completed')
    expect(settings).toMatchObject({ model: 'resnet20', epochs: 2, seed: 1, dataset: 'fashion-mnist' })
    expect(dataset).toEqual({ name: 'fashion-mnist', train: few.train, test: few.t10k })
    expect(parameters).toBe(create('resnet20', { inChannels: 1 }).parameterCount())
    expect(versions).toMatchObject({ node: process.versions.node, library: expect.stringMatching(/^oneDNN 3\./) as string })
    expect(machine.threads).toBeGreaterThan(0)
    for (const { plannedBytes, imagesPerSecond, seconds, epochs } of summary.arms) {
      expect(plannedBytes).toBeGreaterThan(1e6)
      expect(peakProcessBytes).toBeGreaterThan(plannedBytes!)
      expect(imagesPerSecond).toBeGreaterThan(0)
      expect(seconds).toBeGreaterThan(0)
      expect(epochs.map(({ epoch, step, test }) => [epoch, step, test?.count])).toEqual([[1, 4, 100], [2, 8, 100]]) // prettier-ignore
    }
  })

  it('starts both networks from the same weights, at the same learning rates, and trains different networks', async () => {
    expect(summary.arms[0]!.initialWeights).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(summary.arms[1]!.initialWeights).toBe(summary.arms[0]!.initialWeights)
    const [baseline, erased] = await Promise.all(arms.map(arm => metricsIn('whole', arm)))
    expect(baseline!.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(erased!.map(({ learningRate }) => learningRate)).toEqual(baseline!.map(({ learningRate }) => learningRate))
    expect(erased![0]!.loss).not.toBe(baseline![0]!.loss)
  })

  it.each(arms)('leaves a run folder: %s', async arm => {
    const settings = parse(await text('whole', arm, 'args.yaml')) as Summary['settings']
    expect(settings).toMatchObject({ epochs: 2, erase: 'last', 'erase-proportion': arm === 'erased' ? 1 : 0 })
    const [head, ...rows] = (await text('whole', arm, 'summary.csv')).trimEnd().split('\n')
    expect(head).toBe('epoch,step,train_loss,train_accuracy,test_loss,test_accuracy,test_accuracy5,learning_rate')
    expect(rows.map(row => row.split(',').length)).toEqual([8, 8])
    expect((await text('whole', arm, 'timing.jsonl')).trimEnd().split('\n')).toHaveLength(8 + 2)
    const { tensors, metadata } = await readSafetensors(at('whole', arm, 'last', 'model.safetensors'))
    const model = create('resnet20', { inChannels: 1 })
    expect([...tensors.keys()].sort()).toEqual([...model.stateDict().keys()].sort())
    expect(tensors.get('layer2.0.conv1.weight')!.shape).toEqual([32, 3, 3, 16])
    expect(metadata).toMatchObject({ model: 'resnet20', layout: 'KRSC', step: '8' })
    expect(metadata.erased_relus!.split(' ').filter(Boolean)).toHaveLength(arm === 'erased' ? 9 : 0)
  })

  it('reports with a picture', async () => {
    const report = await text('whole', 'report.md')
    expect(report).toContain('| ReLUs erased | 0 | 9 |')
    expect(report).toContain('](curves.png)')
    expect(await text('whole', 'curves.svg')).toMatch(/^<svg/)
    const png = await readFile(at('whole', 'curves.png'))
    expect(png.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
  })

  it('is repeated to the byte; a run that erases nothing trains the same network twice', async () => {
    expect((await start('nothing', ['--epochs', '2', '--erase-proportion', '0'])).code).toBe(0)
    for (const file of ['metrics.jsonl', 'summary.csv', 'last/model.safetensors', 'args.yaml']) {
      const baseline = await readFile(at('whole', 'baseline', file))
      for (const arm of arms) expect(await readFile(at('nothing', arm, file)), `${arm}/${file}`).toEqual(baseline)
    }
  })
})

describe('a run that does not get to its end', () => {
  it.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s: exit code %i, and what was measured is kept', async (signal, code) => {
    const finished = await start(signal, ['--epochs', '1000'], { interrupt: { signal, after: 'epoch 1/1000: test' } })
    expect(finished.stderr).toBe('')
    expect(finished.code).toBe(code)
    const { status, reason, arms: [baseline, erased] } = await summaryIn(signal)
    expect([status, reason]).toEqual(['stopped early', `stopped by ${signal}`])
    expect(baseline!.epochs.length).toBeGreaterThan(0)
    expect(erased!.epochs).toEqual([])
    expect(await text(signal, 'report.md')).toContain(`**stopped early**: stopped by ${signal}`)
    expect(existsSync(at(signal, 'curves.png'))).toBe(true)
    const { metadata } = await readSafetensors(at(signal, 'baseline', 'last', 'model.safetensors'))
    expect(metadata.step).toBe(String((await metricsIn(signal, 'baseline')).length))
  }) // prettier-ignore

  it('that diverges: exit code 1, a message with the layer, and a report', async () => {
    const { code, stderr } = await start('diverges', ['--epochs', '2', '--lr', '1e30'])
    expect(stderr).toMatch(/^error: step \d+ \(learning rate .*not finite/)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(code).toBe(1)
    expect((await summaryIn('diverges')).status).toBe('failed')
  })

  it('is refused where it would overwrite files', async () => {
    await writeFile(at('file'), 'precious')
    const other = await start('.', ['--epochs', '1'])
    expect(other.stderr).toMatch(/is not empty and holds no results of 'start'; nothing was changed/)
    const file = await start('file', ['--epochs', '1'])
    expect(file.stderr).toMatch(/file is a file, not a folder/)
    expect([other.code, file.code]).toEqual([2, 2])
    expect(await text('file')).toBe('precious')
  })
})
