/** `--precision auto`: what it takes, where that can be seen, and that a run keeps it. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { studyOf } from '../../src/cli/reproduce_config.js'
import { fasterPrecision } from '../../src/train/faster_precision.js'
import { missingType } from '../native/helpers.js'
import { fewImages } from './few_images.js'
import { runCli } from './run_cli.js'

let root: string
const missing = missingType('cpu', 'bf16')
const why = missing ? `: ${missing}` : ''
const at = (...names: string[]) => join(root, ...names)
const run = (...words: string[]) => runCli(words, { cwd: root })
const small = ['--model-kwargs', 'width=4', '--precision', 'auto']
const train = (...words: string[]) =>
  run('train', '--dataset', 'fashion-mnist', '--data-path', 'images', ...small, '--output-dir', 'run', ...words)
const taken = async () => (parse(await readFile(at('run', 'args.yaml'), 'utf8')) as { precision: string }).precision

/** What a measurement would keep. */
async function measured(ratio: number): Promise<void> {
  const { file } = await fasterPrecision()
  await writeFile(file!, JSON.stringify({ ratio }))
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-auto-'))
  vi.stubEnv('ERASERELU_CACHE', at('cache'))
  await fewImages(at('images'), { train: 64, t10k: 20 })
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(root, { recursive: true })
})

it.skipIf(missing)(`takes what was faster, and a run that goes on keeps what it was begun with${why}`, async () => {
  await measured(0.5)
  const begun = await train('--epochs', '1')
  expect([begun.code, begun.stderr]).toEqual([0, '--precision auto: bf16, a step in bf16 takes 0.50 times as long as in f32\n'])
  expect(await taken()).toBe('bf16')
  await measured(1.2)
  const resumed = await train('--epochs', '2', '--resume')
  expect([resumed.code, resumed.stderr]).toEqual([0, '--precision auto: bf16, as it was begun\n'])
  expect(resumed.stdout).toMatch(/epoch 2\/2: test/)
  expect(resumed.stdout).not.toMatch(/^precision: /m)
  expect(await taken()).toBe('bf16')

  const evaluated = await run('eval', 'run', '--data-path', 'images', '--precision', 'auto')
  expect([evaluated.code, evaluated.stderr]).toEqual([
    0,
    expect.stringMatching(/^--precision auto: f32, a step in bf16 takes 1\.20/),
  ])
  await measured(0.5)
  const predicted = await run('predict', 'run', '--index', '0', '--data-path', 'images', '--precision', 'auto')
  expect([predicted.code, predicted.stderr]).toEqual([0, expect.stringMatching(/^--precision auto: bf16, a step in bf16/)])
  const bench = await run('bench', 'resnet20', '--infer', '--batch-size', '2', '--steps', '1', ...small, '--json')
  expect(JSON.parse(bench.stdout)).toMatchObject({ precision: 'bf16' })
})

it.skipIf(missing)(`holds for all runs of a study, in which auto stays what it was${why}`, async () => {
  const [file, outputDir] = [at('auto.yaml'), at('study')]
  await writeFile(file, 'settings: { precision: auto }')
  await measured(0.5)
  const flags = { jobs: 1, outputDir, config: file }
  const { matrix, seeds, settings } = await studyOf({}, flags)
  expect(settings).toEqual({ precision: 'bf16' })
  await mkdir(outputDir)
  await writeFile(join(outputDir, 'study.yaml'), stringify({ matrix, seeds, settings }))
  await measured(1.2)
  expect((await studyOf({}, flags)).settings).toEqual({ precision: 'bf16' })
})

it('is f32 where there is nothing to choose from, and is not chosen for a GPU', async () => {
  const words = ['bench', 'resnet20', '--batch-size', '1', '--steps', '1', '--warmup', '0', '--image-size', '8', ...small]
  const reference = await run(...words, '--device', 'reference')
  expect(reference.stderr).toMatch(/^--precision auto: f32, all that reference has$/m)
  expect(reference.stdout).toMatch(/8x8, f32,/)
  const gpu = await run('bench', 'resnet20', '--roofline', '--precision', 'auto')
  expect(gpu.stderr).toMatch(
    /^error: bench: --precision auto chooses for the CPU; with --device cuda name one of f32, tf32, bf16/m,
  )
  expect([gpu.code, gpu.stdout]).toEqual([2, ''])
})
