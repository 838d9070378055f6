/** The commands on images in class folders, tar files and packed shards, found by looking at the path. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Measured } from '../../src/cli/eval_run.js'
import type { DataSummary } from '../../src/cli/data_run.js'
import type { Predictions } from '../../src/cli/predict_run.js'
import { imageFolder } from '../../src/data/index.js'
import { runCli } from '../cli/run_cli.js'
import { writeShapes } from '../data/shapes.js'
import { samplesOf, tarOf } from '../data/tar_files.js'

const temporary = mkdtempSync(join(tmpdir(), 'eraserelu-sources-'))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))
const env = { XDG_CACHE_HOME: join(temporary, 'cache') }
const run = async (words: string) => {
  const { code, stdout, stderr } = await runCli(words.split(' '), { cwd: temporary, env })
  expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' })
  return stdout
}
const refused = async (words: string) => {
  const { code, stderr } = await runCli(words.split(' '), { cwd: temporary, env })
  expect({ words, code }).toEqual({ words, code: 2 })
  return stderr
}

beforeAll(async () => {
  writeShapes(join(temporary, 'shapes'))
  writeShapes(join(temporary, 'faulty'))
  writeFileSync(join(temporary, 'faulty', 'train', 'red', 'bad.jpg'), 'no image')
  const { train, test } = await imageFolder(join(temporary, 'shapes'))
  for (const [part, set] of [
    ['train', train],
    ['val', test!],
  ] as const) {
    const images = set.names.map((name, i) => ({ key: `${1000 + i}`, bytes: readFileSync(join(set.root, name)), label: set.labels[i]! })) // prettier-ignore
    writeFileSync(join(temporary, `${part}.tar`), tarOf(samplesOf(images)))
  }
  cpSync(join(temporary, 'train.tar'), join(temporary, 'tars', 'train.tar'))
  cpSync(join(temporary, 'val.tar'), join(temporary, 'tars', 'val.tar'))
})

it('packs, trains, measures, predicts and shows', async () => {
  const packed = await run('pack shapes packed --shard-size 1')
  expect(packed).toContain('60 images in 2 shards')
  expect(await refused('pack shapes packed')).toContain('packed holds complete shards already')

  const crops = '--train-crop-size 16 --val-crop-size 16 --val-resize-size 18 --workers 2'
  const metrics: string[] = []
  for (const place of ['shapes', 'tars', 'packed']) {
    const stdout = await run(`train --model resnet20 --data-path ${place} ${crops} -b 16 --epochs 1 --output-dir run-${place}`)
    expect(stdout).toContain('epoch 1/1: test accuracy')
    metrics.push(readFileSync(join(temporary, `run-${place}`, 'metrics.jsonl'), 'utf8'))
    const kind = { shapes: 'image-folder', tars: 'webdataset', packed: 'shards' }[place]!
    expect(readFileSync(join(temporary, `run-${place}`, 'args.yaml'), 'utf8')).toContain(`dataset: ${kind}`)
  }
  expect(metrics[1]).toBe(metrics[0])
  expect(metrics[2]).toBe(metrics[0])

  const results = ['shapes', 'tars', 'packed'].map(async place => {
    const { images, loss, top1 } = JSON.parse(await run(`eval run-packed --json --data-path ${place}`)) as Measured
    return { images, loss, top1 }
  })
  const [first, ...others] = await Promise.all(results)
  expect(first!.images).toBe(12)
  for (const other of others) expect(other).toEqual(first)
  expect(await refused('eval run-packed')).toContain("the network was trained on 'shapes': give --data-path")

  const predictions = async (words: string) => (JSON.parse(await run(`predict run-packed --json ${words}`)) as Predictions).predictions // prettier-ignore
  const [byIndex] = await predictions('--data-path packed --index 0')
  const [fromTar] = await predictions('--data-path tars --index 0')
  expect(fromTar!.classes.map(({ probability }) => probability)).toEqual(byIndex!.classes.map(({ probability }) => probability))
  expect(byIndex!.label).toEqual({ class: 0, name: 'blue' })
  const blue = await predictions('shapes/val/blue')
  expect(blue).toHaveLength(4)
  // Four images may be convolved by another algorithm than one, which rounds otherwise.
  const rounded = (each: Predictions['predictions'][number]) =>
    each.classes.map(one => ({ ...one, probability: one.probability.toFixed(5) }))
  expect(rounded(blue[0]!)).toEqual(rounded(byIndex!))
  expect(await refused('predict run-packed shapes/val')).toContain('no JPEG, PNG or PPM files lie in it')
  expect(await refused('predict run-packed --data-path packed --index 12')).toContain('shapes has test images 0 to 11')
})

it('shows what is there, corrupt files by name', async () => {
  const words = 'data --data-path faulty --json --stats --grid sheet.png --max-corrupt 1 --train-crop-size 24'
  const { stdout, stderr } = await runCli(words.split(' '), { cwd: temporary, env })
  expect(stderr).toMatch(/^(\(node:\d+\) \[ERASERELU_IMAGE\] Warning: passed over faulty\/train\/red\/bad\.jpg[^]*)?$/)
  const summary = JSON.parse(stdout) as DataSummary
  expect(summary).toMatchObject({ dataset: 'faulty', classes: ['blue', 'green', 'red'], grid: 'sheet.png' })
  expect(summary.train).toMatchObject({ images: 49, perClass: [16, 16, 17] })
  expect(summary.files!.train.corrupt).toEqual([
    expect.stringMatching(/^faulty\/train\/red\/bad\.jpg: neither JPEG, PNG nor PPM/),
  ])
  expect(summary.test).toMatchObject({ images: 12 })
  expect(summary.files!.test!.corrupt).toEqual([])
  expect(summary.files!.train.width.smallest).toBeGreaterThan(10)
  expect(summary.measured!.mean.every(value => value > 0.05 && value < 0.95)).toBe(true)
  const sheet = PNG.sync.read(readFileSync(join(temporary, 'sheet.png')))
  expect(sheet.width).toBe(1048)
  const text = await run('data webdataset --data-path tars')
  expect(text).toMatch(/: 48 training images, 12 test images, 224x224x3, 3 classes[^]*All images can be read\./)
  expect(await refused('data')).toContain('name a data set, or give --data-path')
  expect(await refused('data --data-path packed --cutout 3')).toMatch(/there is no such|--cutout is not for images in files/)
})

it('unpacks, names what cannot be packed, and refuses wrong flags', async () => {
  await run('pack tars again --format jpeg --quality 80 --size 12')
  await run('unpack again files')
  expect(readFileSync(join(temporary, 'files', 'train', '0', 'train', '1000.jpg')).subarray(0, 2)).toEqual(
    Buffer.from([0xff, 0xd8]),
  )
  const { code, stderr } = await runCli(['pack', 'faulty', 'faulty-packed'], { cwd: temporary, env })
  expect([code, stderr]).toEqual([2, expect.stringMatching(/faulty\/train\/red\/bad\.jpg: neither JPEG.*--max-corrupt/)])
  const passed = await runCli(['pack', 'faulty', 'faulty-packed', '--max-corrupt', '1'], { cwd: temporary, env })
  expect(passed.code).toBe(0)
  expect(passed.stderr).toContain('passed over faulty/train/red/bad.jpg')
  expect(passed.stdout).toContain('1 was passed over')
  expect(await refused('pack shapes other --size 3')).toContain("size is for format 'jpeg' and 'raw'")
  expect(await refused('train --data-path nowhere')).toContain('nowhere: there is no such folder or file')
  expect(await refused('train --dataset shards')).toContain('--dataset shards needs --data-path')
  expect(await refused('train --dataset toString --data-path shapes')).toContain('--dataset must be one of')
})

it('a study of images, without those that cannot be read', async () => {
  const crops = '--train-crop-size 16 --val-crop-size 16 --val-resize-size 18'
  const words = `reproduce --data-path faulty ${crops} -b 16 --epochs 1 --seeds 1 --proportions 0,1 --model-kwargs width=4 --output-dir study`
  expect(await refused(words)).toMatch(/faulty\/train\/red\/bad\.jpg: neither JPEG/)
  const { code, stderr } = await runCli([...words.split(' '), '--max-corrupt', '1'], { cwd: temporary, env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('passed over faulty/train/red/bad.jpg') as string })
  const results = JSON.parse(readFileSync(join(temporary, 'study', 'results.json'), 'utf8')) as object
  expect(results).toMatchObject({ dataset: { name: 'faulty', train: 49, test: 12 }, finishedRuns: 2 })
})
