/** `eraserelu train`, `eval` and `predict` on a few images: what they print and leave, how a run goes on, and how it ends when stopped. */
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import * as data from '../../src/data/index.js'
import type { Measured } from '../../src/cli/eval_run.js'
import type { Predictions } from '../../src/cli/predict_run.js'
import { readSafetensors } from '../../src/interop/safetensors.js'
import { fewImages } from './few_images.js'
import { runCli, type Finished, type RunOptions } from './run_cli.js'

let root: string
let images: string
/** A small network and few images: an epoch takes part of a second. */
const small = ['--model-kwargs', 'width=4']

const at = (...names: string[]) => join(root, ...names)
const text = (...names: string[]) => readFile(at(...names), 'utf8')
const dataFlags = () => ['--dataset', 'fashion-mnist', '--data-path', images]
const run = (words: string[], options: RunOptions = {}) => runCli(words, { cwd: root, ...options })
const train = (words: string[], options: RunOptions = {}) => run(['train', ...dataFlags(), ...small, ...words], options)

async function json<T>(words: string[]): Promise<T> {
  const { code, stdout, stderr } = await run([...words, '--json'])
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as T
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-train-'))
  images = await fewImages(at('images'), { train: 256, t10k: 100 })
  await writeFile(at('config.yaml'), 'epochs: 9\nlr: 0.05\nmodel-ema: true\nmodel-ema-decay: 0.5\nerase: last\n')
})

describe('a whole run', () => {
  let finished: Finished

  beforeAll(async () => {
    finished = await train(['--config', 'config.yaml', '--epochs', '2', '--output-dir', 'a'])
  })

  it('prints lines, one table, and where the results are', () => {
    const { code, stdout, stderr } = finished
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^resnet20, epoch 2\/2: test accuracy \d+\.\d\d %, loss \d+\.\d{4}, \d+ images\/s$/m)
    expect(stdout).toMatch(/^\| ReLUs erased +\| +9 \|$/m)
    expect(stdout).toMatch(/^Results: a, curves: a\/curves.png\n$/m)
  })

  it('keeps its settings: flags before --config before the defaults', async () => {
    expect(parse(await text('a', 'args.yaml'))).toMatchObject({
      epochs: 2, lr: 0.05, 'model-ema': true, momentum: 0.9, erase: 'last', 'model-kwargs': { width: 4 }, 'clip-grad-norm': null,
    }) // prettier-ignore
  })

  it('is repeated to the byte from them', async () => {
    const { code } = await run(['train', '--config', 'a/args.yaml', '--output-dir', 'b'])
    expect(code).toBe(0)
    for (const file of ['metrics.jsonl', 'args.yaml', 'last/model.safetensors', 'last/model_ema.safetensors'])
      expect(await readFile(at('b', file)), file).toEqual(await readFile(at('a', file)))
  })

  it('eval measures what training measured: of the moving average, or of the weights', async () => {
    const rows = (await text('a', 'summary.csv'))
      .trimEnd()
      .split('\n')
      .map(row => row.split(','))
    const [loss, accuracy] = ['test_loss', 'test_accuracy'].map(name => Number(rows.at(-1)![rows[0]!.indexOf(name)]))
    const measured = await json<Measured>(['eval', 'a', '--last', '--data-path', images])
    expect(measured).toMatchObject({ weights: 'a/last/model_ema.safetensors', averaged: true, model: 'resnet20', images: 100 })
    expect(measured.loss).toBeCloseTo(loss!, 5)
    expect(measured.top1).toBe(accuracy)
    const weights = await json<Measured>(['eval', 'a/last', '--no-ema', '-b', '7', '--autotune', ...dataFlags()])
    expect(weights.averaged).toBe(false)
    expect(weights.loss).not.toBeCloseTo(loss!, 5)
    const printed = await run(['eval', 'a', '--last', '--data-path', images])
    expect(printed.stdout).toMatch(/^fashion-mnist: 100 test images\nloss \d\.\d{4}, top-1 accuracy \d+\.\d\d %, top-5 accuracy/m)
  })

  it('predict says the same of a file as of the image in the data set', async () => {
    const { test } = await data.open('fashion-mnist', { dataPath: images })
    const files = await Promise.all(
      [0, 1].map(async n => {
        const png = new PNG({ width: 28, height: 28 })
        test.images.subarray(n * 784, (n + 1) * 784).forEach((value, i) => png.data.set([value, value, value, 255], 4 * i))
        await writeFile(at(`${n}.png`), PNG.sync.write(png, { colorType: n === 0 ? 0 : 2 }))
        return `${n}.png`
      }),
    )
    const { predictions } = await json<Predictions>(['predict', 'a', ...files, '--nondeterministic'])
    const listed = await json<Predictions>(['predict', 'a', '--index', '0,1,60-99', '--top', '10', '--data-path', images])
    expect(predictions.map(({ image }) => image)).toEqual(files)
    // More images at once may be convolved by another algorithm, which rounds otherwise.
    const rounded = ({ classes }: Predictions['predictions'][number]) =>
      classes.map(each => ({ ...each, probability: each.probability.toFixed(5) }))
    expect(predictions.map(rounded)).toEqual(listed.predictions.slice(0, 2).map(each => rounded(each).slice(0, 3)))
    expect(listed.predictions).toHaveLength(42)
    for (const { label, classes, image } of listed.predictions) {
      expect(label).toEqual({ class: test.labels[Number(image)], name: test.classNames![label!.class] })
      expect(classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1)
    }
    const right = listed.predictions.slice(2).filter(({ label, classes }) => label!.class === classes[0]!.class)
    expect(right.length).toBeGreaterThan(0)
    expect((await run(['predict', 'a', '0.png', '--top', '1'])).stdout).toMatch(/^0\.png: [\w/ -]+ \d+\.\d %\n$/)
  })

  it('--test-only measures a run, or weights with the settings given', async () => {
    const resumed = await run(['train', '--resume', 'a', '--test-only'])
    expect(resumed.stdout).toMatch(
      /^resnet20, .*model_ema\.safetensors \(moving average\)\nfashion-mnist: 100 test images\nloss /,
    )
    const words = ['--weights', 'a/last/model_ema.safetensors', '--erase', 'last', '--test-only']
    expect((await train(words)).stdout.split('\n')[2]).toBe(resumed.stdout.split('\n')[2])
    expect((await run(['train', '--test-only'])).stderr).toMatch(/--test-only needs what to measure/)
    const other = await run(['train', '--resume', 'a', '--test-only', '--erase', 'first'])
    expect(other.stderr).toMatch(/measures the network as it was trained, not with erase: last -> first\. .*--weights FILE/)
    expect([other.code, other.stdout]).toEqual([2, ''])
  })

  it('--weights starts from them; a file of another network is refused', async () => {
    const barely = ['--lr', '1e-9', '--wd', '0', '--epochs', '1', '--output-dir', 'fine']
    const fine = await train(['--weights', 'a/last/model.safetensors', ...barely])
    expect(fine.stdout).toMatch(/^a\/last\/model.safetensors: \d+ tensors loaded\n/)
    const [before, after] = await Promise.all(
      ['a', 'fine'].map(
        async folder => (await readSafetensors(at(folder, 'last', 'model.safetensors'))).tensors.get('fc.weight')!.data,
      ),
    )
    after!.forEach((value, i) => expect(value).toBeCloseTo(Number(before![i]), 6))
    const other = await run(['train', '--weights', 'a/last/model.safetensors', '--output-dir', 'other'])
    expect(other.stderr).toMatch(/--weights is not of this network: most of it would keep its initial weights/)
    expect([other.code, existsSync(at('other'))]).toEqual([2, false])
  })

  it('--resume needs the weights no more that the run started from', async () => {
    await copyFile(at('a', 'last', 'model.safetensors'), at('start.safetensors'))
    expect((await train(['--weights', 'start.safetensors', '--epochs', '1', '--output-dir', 'from'])).code).toBe(0)
    await rm(at('start.safetensors'))
    const { code, stdout } = await run(['train', '--output-dir', 'from', '--resume'])
    expect(code).toBe(0)
    expect(stdout).not.toContain('tensors loaded')
    expect(stdout).toMatch(/^Epochs done before: all 1; nothing was trained\. To train on, give more --epochs\.$/m)
  })

  it('predict refuses outputs that are not finite', async () => {
    const bytes = await readFile(at('a', 'last', 'model.safetensors'))
    await writeFile(at('nan.safetensors'), bytes.fill(0xff, bytes.length - 100))
    const { code, stdout, stderr } = await run(['predict', 'nan.safetensors', '0.png'])
    expect(stderr).toMatch(/^error: nan\.safetensors: the outputs for 0\.png are not finite/)
    expect([code, stdout]).toEqual([2, ''])
  })

  it('a folder with a run is refused without --resume, and left as it was', async () => {
    const before = await readdir(at('a'))
    const { code, stdout, stderr } = await train(['--output-dir', 'a'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^error: the output folder a holds a run; nothing was changed\..*--resume/)
    expect(await readdir(at('a'))).toEqual(before)
  })

  it('--resume of a complete run with more epochs trains these alone, and says what changed', async () => {
    const { code, stdout } = await run(['train', '--resume', 'b/last', '--epochs', '3', '--lr', '0.01'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Resuming from b\/checkpoints\/step-8: step 8, 2 full epochs done\.$/m)
    expect(stdout).toMatch(/^epochs: 2 -> 3$/m)
    expect(stdout).toMatch(/^lr: 0\.05 -> 0\.01$/m)
    expect(stdout).toMatch(/epoch 3\/3/)
    expect(stdout).not.toMatch(/epoch 2\/3: test/)
    expect(await readlink(at('b', 'last'))).toBe('checkpoints/step-12')
  })
})

describe('a run that is stopped', () => {
  it('writes a checkpoint, exits 130, and ends with --resume as if never stopped', async () => {
    const words = ['--epochs', '4', '--output-dir', 'stopped']
    const stopped = await train(words, { interrupt: { signal: 'SIGINT', after: 'epoch 1/4: test' } })
    expect([stopped.code, stopped.stderr]).toEqual([130, ''])
    expect(stopped.stdout).toMatch(/^Stopping: a checkpoint is being written/m)
    expect(stopped.stdout).toMatch(/^To go on: eraserelu train --output-dir stopped --resume$/m)
    const { metadata } = await readSafetensors(at('stopped', 'last', 'model.safetensors'))
    const done = (await text('stopped', 'metrics.jsonl')).trimEnd().split('\n').length
    expect(metadata.step).toBe(String(done))
    expect(done).toBeLessThan(16)

    const resumed = await run(['train', '--output-dir', 'stopped', '--resume'])
    expect([resumed.code, resumed.stderr]).toEqual([0, ''])
    expect((await train(['--epochs', '4', '--output-dir', 'whole'])).code).toBe(0)
    for (const file of ['metrics.jsonl', 'last/model.safetensors', 'summary.csv'])
      expect(await readFile(at('stopped', file)), file).toEqual(await readFile(at('whole', file)))
  })

  it('--resume alone with nothing to go on from starts afresh and says so', async () => {
    const { code, stdout } = await train(['--epochs', '1', '--output-dir', 'new', '--resume'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/new has no checkpoint: the training starts afresh/)
  })
})

it("the args.yaml of an arm of 'start' trains that arm again", async () => {
  expect((await run(['start', ...dataFlags(), '--epochs', '1', '--output-dir', 'start'])).code).toBe(0)
  expect((await run(['train', '--config', 'start/erased/args.yaml', '--output-dir', 'again'])).code).toBe(0)
  expect(await text('again', 'metrics.jsonl')).toBe(await text('start', 'erased', 'metrics.jsonl'))
})
