/** A sheet of training images as the network sees them, with their classes, as PNG. */
import { PNG } from 'pngjs'
import type { ImageShape } from '../data/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import { svgToPng } from '../train/chart.js'
import type { TrainingData } from '../train/feeds.js'
import type { SeenImages } from '../train/seen_images.js'

/** Of an image on the sheet. */
const side = 96
const gap = 8
const lineHeight = 18
const columns = 10
const letters = 15

/** The images of a batch as the network sees them; what is blanked has the mean colour. */
export async function contactSheet(data: TrainingData, seen: SeenImages): Promise<Uint8Array> {
  const { shape } = 'kind' in data ? data : data.train
  const tiles = pixelsOf(data, seen, shape)
  const across = Math.min(columns, tiles.length)
  const lines = seen.labels2 ? 2 : 1
  const [width, height] = [side + gap, side + gap + lines * lineHeight]
  const cells = tiles.map((pixels, n) => {
    const [x, y] = [gap + (n % across) * width, gap + Math.floor(n / across) * height]
    const picture = Buffer.from(pngOf(pixels, shape)).toString('base64')
    const words = linesBelow(data, seen, n).map(
      (line, i) => `<text x="${x + side / 2}" y="${y + side + 13 + i * lineHeight}" text-anchor="middle">${escaped(line)}</text>`,
    )
    return (
      `<image x="${x}" y="${y}" width="${side}" height="${side}" image-rendering="optimizeSpeed" href="data:image/png;base64,${picture}"/>` +
      words.join('')
    )
  })
  const size = { width: gap + across * width, height: gap + Math.ceil(tiles.length / across) * height }
  return svgToPng(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" font-family="DejaVu Sans" font-size="11">` +
      `<rect width="100%" height="100%" fill="#ffffff"/>${cells.join('')}</svg>`,
  )
}

/** The class, or the two of a mixed image with their shares. */
function linesBelow(data: TrainingData, { labels, labels2, lambda }: SeenImages, n: number): string[] {
  const nameOf = (label: number, letters: number) => {
    const name = classNamesOf(data)?.[label] ?? String(label)
    return name.length > letters ? `${name.slice(0, letters - 1)}…` : name
  }
  if (!labels2 || !lambda) return [nameOf(labels[n]!, letters)]
  const percent = Math.round(100 * lambda[n]!)
  const shares = [
    [labels[n]!, percent],
    [labels2[n]!, 100 - percent],
  ] as const
  return shares.map(([label, share]) => `${nameOf(label, letters - 5)} ${share} %`)
}

const classNamesOf = (data: TrainingData) =>
  'kind' in data ? (data.kind === 'files' ? data.classNames : undefined) : data.train.classNames

/** Bytes [height, width, channels] of each image. */
function pixelsOf({ mean, std }: TrainingData, { images, count }: SeenImages, shape: ImageShape): Uint8Array[] {
  const size = shape[0] * shape[1] * shape[2]
  const byte = (value: number, channel: number) => Math.round(255 * (value * std[channel]! + mean[channel]!))
  const bytes = Uint8ClampedArray.from(images, (value, i) => byte(value, i % shape[2]))
  return Array.from({ length: count }, (_, n) => new Uint8Array(bytes.buffer, n * size, size))
}

function pngOf(pixels: Uint8Array, [height, width, channels]: ImageShape): Uint8Array {
  if (channels !== 1 && channels !== 3) throw new InvalidArgument(`data: --grid shows images of 1 or 3 channels, not ${channels}`)
  const png = new PNG({ width, height })
  for (let i = 0; i < height * width; ++i) {
    for (let channel = 0; channel < 3; ++channel)
      png.data[4 * i + channel] = pixels[channels * i + (channels === 1 ? 0 : channel)]!
    png.data[4 * i + 3] = 255
  }
  return PNG.sync.write(png)
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
