/** A sheet of training images as the network sees them, with their classes, as PNG. */
import { PNG } from 'pngjs'
import type { DataSource, LoadedBatch } from '../data/index.js'
import { run } from '../graph/run.js'
import { InvalidArgument } from '../runtime/errors.js'
import { svgToPng } from '../train/chart.js'

/** Of an image on the sheet. */
const side = 96
const gap = 8
const lineHeight = 18
const columns = 10
const letters = 15

/** The images of a batch, augmented by the operation that does it in training; pixels that a cutout blanks have the mean colour. */
export async function contactSheet(source: DataSource, batch: LoadedBatch): Promise<Uint8Array> {
  const { classNames, shape } = source.train
  const tiles = await augmentedPixels(source, batch)
  const across = Math.min(columns, tiles.length)
  const [width, height] = [side + gap, side + gap + lineHeight]
  const cells = tiles.map((pixels, n) => {
    const [x, y] = [gap + (n % across) * width, gap + Math.floor(n / across) * height]
    const label = batch.labels[n]!
    const name = classNames?.[label] ?? String(label)
    const shown = name.length > letters ? `${name.slice(0, letters - 1)}…` : name
    const picture = Buffer.from(pngOf(pixels, shape)).toString('base64')
    return (
      `<image x="${x}" y="${y}" width="${side}" height="${side}" image-rendering="optimizeSpeed" href="data:image/png;base64,${picture}"/>` +
      `<text x="${x + side / 2}" y="${y + side + 13}" text-anchor="middle">${escaped(shown)}</text>`
    )
  })
  const size = { width: gap + across * width, height: gap + Math.ceil(tiles.length / across) * height }
  return svgToPng(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" font-family="DejaVu Sans" font-size="11">` +
      `<rect width="100%" height="100%" fill="#ffffff"/>${cells.join('')}</svg>`,
  )
}

/** Bytes [height, width, channels] of each image. */
async function augmentedPixels(source: DataSource, batch: LoadedBatch): Promise<Uint8Array[]> {
  const { images, shape } = source.train
  const { mean, std, augment } = source
  const channels = shape[2]
  const size = shape[0] * shape[1] * channels
  const { indices, offsets, flips, cutouts, count } = batch
  const picked = new Uint8Array(count * size)
  for (let n = 0; n < count; ++n) picked.set(images.subarray(indices[n]! * size, (indices[n]! + 1) * size), n * size)
  const { x } = await run(
    'imageInput',
    {
      images: { data: picked, shape: [count, ...shape] },
      offsets: { data: offsets, shape: [count, 2] },
      flips: { data: flips, shape: [count] },
      ...(cutouts && { cutouts: { data: cutouts, shape: [count, 2] } }),
    },
    { mean, std, pad: augment.pad, padMode: augment.padMode, cutout: augment.cutout },
    { outputs: { x: { shape: [count, ...shape] } } },
  )
  const values = x!.data as Float32Array
  const bytes = Uint8Array.from(values, (value, i) => Math.round(255 * (value * std[i % channels]! + mean[i % channels]!)))
  return Array.from({ length: count }, (_, n) => bytes.subarray(n * size, (n + 1) * size))
}

function pngOf(pixels: Uint8Array, [height, width, channels]: readonly [number, number, number]): Uint8Array {
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
