import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { drawCurves, svgToPng, type Curve } from '../../src/train/chart.js'
import { drawRunCurves, type EpochRow } from '../../src/train/run_curves.js'

const epochs = [1, 2, 3]
const baseline: Curve = { name: 'as published', epochs, accuracy: [0.5, 0.7, 0.801], loss: [1.5, 0.9, 0.6123] }
const erased: Curve = { name: 'last ReLU erased', epochs, accuracy: [0.55, 0.72, 0.82], loss: [1.3, 0.8, 0.55] }
const options = { title: 'ResNet-20', subtitle: 'seed 1' }

const pngSize = (png: Uint8Array) => {
  const bytes = Buffer.from(png)
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

describe('drawCurves', () => {
  it('writes title, axes, names and last values', async () => {
    const svg = await drawCurves([baseline, erased], options)
    for (const text of [
      'ResNet-20',
      'seed 1',
      'as published',
      'last ReLU erased',
      'Test accuracy',
      'Test loss',
      'Epoch',
      '80.10 %',
      '0.6123',
    ])
      expect(svg).toContain(`>${text}<`)
    expect(svg).toMatch(/^<svg width="1200" height="500"/)
  })

  it('tells the curves apart by colour and dash', async () => {
    const svg = await drawCurves([baseline, erased], options)
    expect(svg).toMatch(/stroke="#1f5fa8" stroke-width="2.5"/)
    expect(svg).toMatch(/stroke="#d1541f" stroke-width="2.5"[^>]*stroke-dasharray/)
  })

  it('draws the same bytes every time', async () => {
    const first = await drawCurves([baseline, erased], options)
    await drawCurves([erased], options)
    expect(await drawCurves([baseline, erased], options)).toBe(first)
  })

  it('draws one epoch, many epochs, and losses that are not numbers', async () => {
    const many = Array.from({ length: 200 }, (_, i) => i + 1)
    const long: Curve = {
      name: 'long',
      epochs: many,
      accuracy: many.map(i => 1 - 1 / i),
      loss: many.map(i => (i > 100 ? NaN : 1 / i)),
    }
    const short: Curve = { name: 'short', epochs: [1], accuracy: [0.1], loss: [2.3] }
    for (const curves of [[short], [long], [short, long]]) expect(await drawCurves(curves, options)).toContain('</svg>')
  })

  it('escapes names', async () => {
    const svg = await drawCurves([{ ...baseline, name: '<a> & "b"' }], { title: '</svg>' })
    expect(svg).toContain('&lt;a&gt; &amp; ')
    expect(svg.match(/<\/svg>/g)?.length).toBe(1)
  })

  it.each<[string, Curve[], RegExp]>([
    ['no curve', [], /1 to 4 curves, got 0/],
    ['too many', Array<Curve>(5).fill(baseline), /1 to 4 curves, got 5/],
    ['a curve without epochs', [{ name: 'x', epochs: [], accuracy: [], loss: [] }], /curve 'x' has no epochs/],
    ['lists of different length', [{ ...baseline, loss: [1] }], /3 epochs, but 3 accuracies and 1 losses/],
  ])('refuses %s', async (_, curves, message) => {
    await expect(drawCurves(curves, options)).rejects.toBeInstanceOf(InvalidArgument)
    await expect(drawCurves(curves, options)).rejects.toThrow(message)
  })
})

describe('drawRunCurves', () => {
  const rows: EpochRow[] = [
    { epoch: 1, trainLoss: 1.5, trainAccuracy: 0.4, testLoss: 1.25, testAccuracy: 0.5 },
    { epoch: 2, trainLoss: 1.125, trainAccuracy: 0.6, testLoss: 1.0625, testAccuracy: 0.625 },
  ]
  const training = (row: EpochRow): EpochRow => ({ ...row, testLoss: undefined, testAccuracy: undefined })
  const textsOf = async (given: EpochRow[]) =>
    Array.from((await drawRunCurves(given, options)).matchAll(/<text[^>]*>([^<]+)</g), ([, text]) => text)

  it('writes both panels, both names and the last values', async () => {
    const texts = await textsOf(rows)
    expect(texts).toEqual(expect.arrayContaining(['ResNet-20', 'seed 1', 'Accuracy', 'Loss', 'training', 'test']))
    expect(texts).toEqual(expect.arrayContaining(['60.00 %', '62.50 %', '1.1250', '1.0625']))
  })

  it('shows training alone where there are no test images', async () => {
    const texts = await textsOf(rows.map(training))
    expect(texts).toEqual(expect.arrayContaining(['Accuracy', 'Loss', 'training', '60.00 %', '1.1250']))
    expect(texts).not.toContain('test')
  })

  it('shows the loss alone where the model gives no class scores', async () => {
    const texts = await textsOf(rows.map(row => ({ ...row, trainAccuracy: undefined, testAccuracy: undefined })))
    expect(texts).toEqual(expect.arrayContaining(['Loss', 'training', 'test', '1.1250', '1.0625']))
    expect(texts).not.toContain('Accuracy')
  })

  it('joins the epochs that were tested', async () => {
    const texts = await textsOf([rows[0]!, { ...training(rows[0]!), epoch: 2 }, { ...rows[1]!, epoch: 3 }])
    expect(texts).toEqual(expect.arrayContaining(['62.50 %', '1.0625']))
  })

  it('draws one epoch, many epochs, and the same bytes every time', async () => {
    expect(await textsOf(rows.slice(0, 1))).toEqual(expect.arrayContaining(['40.00 %', '50.00 %', '1.5000', '1.2500']))
    const many = Array.from({ length: 300 }, (_, i) => ({ ...rows[0]!, epoch: i + 1, trainLoss: i > 200 ? NaN : 2 / (i + 1) }))
    expect(await drawRunCurves(many, options)).toBe(await drawRunCurves(many, options))
  })

  it('refuses no epochs', async () => {
    await expect(drawRunCurves([], options)).rejects.toThrow(/'training' has no epochs/)
  })
})

it('svgToPng draws the picture with its text', async () => {
  const svg = await drawCurves([baseline, erased], { ...options, width: 900, height: 400 })
  const png = await svgToPng(svg)
  expect(pngSize(png)).toEqual([900, 400])
  const textless = await svgToPng(svg.replace(/<text[^]*?<\/text>/g, ''))
  expect(png.length).toBeGreaterThan(1.2 * textless.length)
}, 20_000)
