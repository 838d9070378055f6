/** What `eraserelu data` says of images in folders, tar files and shards: each is read and decoded. */
import type { ImageFileSet, ImageFileSource } from '../data/index.js'
import { ImageFiles } from '../runtime/image_reader.js'

/** What reading all images says. */
export interface ImagesRead {
  readonly train: PartRead
  readonly test?: PartRead
  /** Of value/255 over the training images, each resized as for an evaluation, one number a channel. */
  readonly measured: { readonly mean: readonly number[]; readonly std: readonly number[] }
}

interface PartRead {
  /** In pixels, of those that can be read. */
  readonly height: Sizes
  readonly width: Sizes
  /** Where an image is that cannot be read, and what is wrong with it. */
  readonly corrupt: readonly string[]
}

interface Sizes {
  readonly smallest: number
  readonly median: number
  readonly largest: number
}

export async function readImages(source: ImageFileSource): Promise<ImagesRead> {
  const { measured, ...train } = await readPart(source, source.train)
  if (!source.test) return { train, measured }
  const { height, width, corrupt } = await readPart(source, source.test)
  return { train, test: { height, width, corrupt }, measured }
}

const chunk = 64

async function readPart({ options }: ImageFileSource, { root, names, labels, pieces }: ImageFileSet) {
  const files = new ImageFiles(root, names, labels, pieces)
  const histograms = Array.from({ length: 3 }, () => new Float64Array(256))
  const [heights, widths]: [number[], number[]] = [[], []]
  const corrupt: string[] = []
  for (let from = 0; from < names.length; from += chunk) {
    const indices = Int32Array.from({ length: Math.min(chunk, names.length - from) }, (_, i) => from + i)
    const read = await files.recode(indices, { format: 'raw', size: options.valResizeSize, threads: options.workers })
    corrupt.push(...Object.values(read.faults))
    heights.push(...read.heights.filter((_, i) => read.faults[i] === undefined))
    widths.push(...read.widths.filter((_, i) => read.faults[i] === undefined))
    let at = 0
    for (const length of read.lengths) {
      if (length > 0) count(histograms, read.bytes.subarray(at, at + length))
      at += length
    }
  }
  return { height: sizesOf(heights), width: sizesOf(widths), corrupt, measured: statisticsOf(histograms) }
}

/** `ppm`: three lines of text, and the pixels. */
function count([red, green, blue]: readonly Float64Array[], ppm: Uint8Array): void {
  let at = 0
  for (let lines = 0; lines < 3; ++at) if (ppm[at] === 10) lines += 1
  for (; at < ppm.length; at += 3) {
    red![ppm[at]!]! += 1
    green![ppm[at + 1]!]! += 1
    blue![ppm[at + 2]!]! += 1
  }
}

function statisticsOf(histograms: readonly Float64Array[]): ImagesRead['measured'] {
  const total = histograms[0]!.reduce((sum, n) => sum + n)
  const average = (histogram: Float64Array, of: (value: number) => number) =>
    total === 0 ? 0 : histogram.reduce((sum, n, value) => sum + n * of(value / 255), 0) / total
  const mean = histograms.map(histogram => average(histogram, value => value))
  const std = histograms.map((histogram, c) => Math.sqrt(average(histogram, value => (value - mean[c]!) ** 2)))
  return { mean, std }
}

function sizesOf(sides: number[]): Sizes {
  const sorted = sides.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
  return { smallest: at(0), median: at(0.5), largest: at(1) }
}

/** Lines of text. */
export function textOfRead({ train, test }: Pick<ImagesRead, 'train' | 'test'>): string[] {
  const range = ({ smallest, median, largest }: Sizes) => `${smallest} to ${largest} (median ${median})`
  const corrupt = [...train.corrupt, ...(test?.corrupt ?? [])]
  return [
    `Training images: heights ${range(train.height)}, widths ${range(train.width)}`,
    ...(corrupt.length > 0 ? ['Cannot be read:', ...corrupt.map(fault => `  ${fault}`)] : ['All images can be read.']),
  ]
}
