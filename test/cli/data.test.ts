/** `eraserelu data`: the sheet shows what a training sees, and the numbers are those of the files. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DataSummary } from '../../src/cli/data_run.js'
import { Loader, open } from '../../src/data/index.js'
import { writeShapes } from '../data/shapes.js'
import { pixelsOf, published } from '../data/published_files.js'
import { runCli } from './run_cli.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eraserelu-data-'))
})
afterAll(() => rm(folder, { recursive: true }))

const data = (words: string) => runCli(['data', ...words.split(' ')], { cwd: folder })

/** The pixel of the network's input that is shown around the middle of its 3x3 square: 32 pixels are 96 on the sheet. */
function shown(sheet: PNG, tile: number, row: number, column: number): number[] {
  const [x, y] = [8 + (tile % 10) * 104 + 3 * column + 1, 8 + Math.floor(tile / 10) * 122 + 3 * row + 1]
  return [...sheet.data.subarray(4 * (y * sheet.width + x), 4 * (y * sheet.width + x) + 3)]
}

it('the sheet has the first images that a training sees, cropped, mirrored and blanked as there', async () => {
  const { code, stdout, stderr } = await data(`cifar10 --data-path ${published} --grid sheet.png --seed 3 --epoch 2 --cutout 6`)
  expect([code, stdout, stderr]).toEqual([0, 'sheet.png\n', ''])
  const sheet = PNG.sync.read(await readFile(join(folder, 'sheet.png')))
  // 10 images in a row: 8 + 10·(96 + 8) wide, 8 + 96 + 8 + 18 high.
  expect([sheet.width, sheet.height]).toEqual([1048, 130])
  const { train, augment, mean } = await open('cifar10', { dataPath: published })
  const loader = new Loader(train, { batchSize: 10, seed: 3, shuffle: true, augment: { ...augment, cutout: 6 } })
  const [{ indices, offsets, flips, cutouts }] = [...loader.batches(2)] as [
    ReturnType<typeof loader.batches> extends Generator<infer T> ? T : never,
  ]
  expect(new Set(flips).size).toBe(2)
  for (let tile = 0; tile < 10; ++tile) {
    const image = pixelsOf(indices[tile]! % 2, Math.floor(indices[tile]! / 2))
    for (const [row, column] of [
      [0, 0],
      [0, 31],
      [15, 16],
      [20, 9],
      [31, 31],
    ] as const) {
      const from = [offsets[2 * tile]! + row - 4, offsets[2 * tile + 1]! + (flips[tile] ? 31 - column : column) - 4] as const
      const blank = [row - cutouts![2 * tile]!, column - cutouts![2 * tile + 1]!].every(
        distance => distance >= -3 && distance < 3,
      )
      const outside = from.some(at => at < 0 || at > 31)
      const expected = blank
        ? mean.map(value => Math.round(255 * value))
        : outside
          ? [0, 0, 0]
          : [...image.subarray(3 * (32 * from[0] + from[1]), 3 * (32 * from[0] + from[1]) + 3)]
      expect(shown(sheet, tile, row, column), `tile ${tile}, row ${row}, column ${column}`).toEqual(expected)
    }
    // Something is written below it.
    const line = Array.from({ length: 96 * 14 }, (_, i) => {
      const at = 4 * ((104 + Math.floor(i / 96)) * sheet.width + 8 + tile * 104 + (i % 96))
      return sheet.data[at]!
    })
    expect(Math.min(...line)).toBeLessThan(100)
  }
})

describe('a sheet', () => {
  it('of image files with other colours, of two labels where images are mixed', async () => {
    writeShapes(join(folder, 'shapes'))
    const files = 'image-folder --data-path shapes --train-crop-size 32 --count 10'
    const sheets: PNG[] = []
    for (const [i, flags] of ['', ' --color-jitter 0.4 --lighting 0.1 --random-erasing 1', ' --mixup 1'].entries()) {
      const { code, stderr } = await data(`${files} --grid ${i}.png${flags}`)
      expect([code, stderr]).toEqual([0, ''])
      sheets.push(PNG.sync.read(await readFile(join(folder, `${i}.png`))))
    }
    expect(sheets.map(({ height }) => height)).toEqual([130, 130, 148])
    const different = (a: PNG, b: PNG) =>
      Array.from({ length: 10 }, (_, tile) => tile).filter(tile =>
        shown(a, tile, 9, 9).some((x, c) => Math.abs(x - shown(b, tile, 9, 9)[c]!) > 2),
      )
    expect(different(sheets[0]!, sheets[1]!).length).toBeGreaterThan(5)
    expect(different(sheets[0]!, sheets[2]!).length).toBeGreaterThan(5)
  })

  it('of image files has their counts', async () => {
    const { stdout } = await data('image-folder --data-path shapes --stats --color-jitter 0.4,0.2,0 --lighting 0.1')
    expect(stdout).toContain('shapes: 48 training images, 12 test images, 224x224x3, 3 classes')
    expect(stdout).toContain('Augmentation: random-resized crop, random flip, colour jitter of 0.4, 0.2, 0, lighting of 0.1')
  })
})

describe('numbers', () => {
  it('as JSON', async () => {
    const { code, stdout } = await data(
      `svhn --data-path ${published} --json --crop-padding 2 --padding-mode reflect --normalize unit`,
    )
    const summary = JSON.parse(stdout) as DataSummary
    expect(code).toBe(0)
    expect(summary).toMatchObject({
      dataset: 'svhn',
      train: { images: 3, shape: [32, 32, 3], perClass: [1, 1, 0, 1, 0, 0, 0, 0, 0, 0] },
      test: { images: 2, perClass: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0] },
      normalised: { mean: [0, 0, 0], std: [1, 1, 1] },
      augment: { pad: 2, padMode: 'reflect', flip: false, cutout: 0, randomErasing: 0 },
    })
    const reds = [0, 1, 2].flatMap(n => [...pixelsOf(n, 0)].filter((_, i) => i % 3 === 0))
    expect(summary.measured!.mean[0]).toBeCloseTo(reds.reduce((sum, value) => sum + value, 0) / reds.length / 255, 10)
  })

  it('as text', async () => {
    const { code, stdout } = await data(`cifar10 --data-path ${published}`)
    expect(code).toBe(0)
    expect(stdout).toContain('cifar10: 10 training images, 2 test images, 32x32x3, 10 classes')
    expect(stdout).toMatch(/truck +\| +5 +\| +1 /)
    expect(stdout).toContain('Normalised by:                 mean 0.4914 0.4824 0.4467, standard deviation 0.2471 0.2435 0.2616')
    expect(stdout).toContain('Augmentation: random crop after 4 pixels of padding (zero), random flip')
  })
})

it.each([
  ['cifra10', /data: DATASET must be one of .*, got 'cifra10'\. Did you mean 'cifar10'/],
  ['fashion-mnist-sample --grid sheet.jpg', /--grid sheet\.jpg: the sheet is a PNG file/],
  ['fashion-mnist-sample --grid no/sheet.png', /--grid no\/sheet\.png: cannot be written \(ENOENT/],
  ['fashion-mnist-sample --count 0', /'--count <n>' argument '0' is invalid/],
  ['image-folder', /data: --dataset image-folder needs --data-path/],
  ['fashion-mnist-sample --lighting 0.1', /--lighting is for images in files/],
  ['fashion-mnist-sample --grid s.png --count 1 --mixup 1', /data: mixup and cutmix need two images a batch/],
  ['cifar10 --data-path .', /CIFAR-10 \(data_batch_1\.bin.*\) was not found\. Looked at:\n {2}\.: none of the files/],
])('%s: refused', async (words, message) => {
  const { code, stdout, stderr } = await data(words)
  expect(stderr).toMatch(message)
  expect([code, stdout]).toEqual([2, ''])
})
