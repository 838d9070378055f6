// The same images with sharp: as many at a time as there are threads, each decoded, cropped, resized and flipped by libvips.
import { readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { readReadJob, reportReading } from '../read_job.js'

/** What is used of the package, which `npm ci` does not install. */
interface Image {
  metadata(): Promise<{ width: number; height: number }>
  extract(region: { left: number; top: number; width: number; height: number }): Image
  resize(width: number, height: number, options: object): Image
  flop(flip: boolean): Image
  removeAlpha(): Image
  raw(): Image
  toBuffer(): Promise<Buffer>
}
interface Sharp {
  (path: string): Image
  concurrency(threads: number): number
  cache(use: boolean): void
  readonly versions: { readonly sharp?: string; readonly vips: string }
}
const sharp = createRequire(import.meta.url)('sharp') as Sharp

const { folder, threads, batch, passes } = readReadJob()
const size = 224
// libvips gains more from images side by side than from threads within one.
sharp.concurrency(1)
sharp.cache(false)
const entries = await readdir(join(folder, 'train'), { recursive: true })
const files = entries.filter(name => name.endsWith('.jpg')).map(name => join(folder, 'train', name))

/** As torchvision's RandomResizedCrop: a share of 0.08 to 1 of the area, a ratio of 3/4 to 4/3. */
function crop(width: number, height: number) {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (0.08 + 0.92 * Math.random())
    const ratio = Math.exp((2 * Math.random() - 1) * Math.log(4 / 3))
    const [w, h] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))]
    if (w > 0 && h > 0 && w <= width && h <= height)
      return {
        width: w,
        height: h,
        left: Math.floor(Math.random() * (width - w + 1)),
        top: Math.floor(Math.random() * (height - h + 1)),
      }
  }
  const side = Math.min(width, height)
  return { width: side, height: side, left: (width - side) >> 1, top: (height - side) >> 1 }
}

async function read(path: string, into: Uint8Array, at: number): Promise<void> {
  const image = sharp(path)
  const { width, height } = await image.metadata()
  const pixels = await image
    .extract(crop(width, height))
    .resize(size, size, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: true })
    .flop(Math.random() < 0.5)
    .raw()
    .toBuffer()
  into.set(pixels, at * size * size * 3)
}

async function pass(): Promise<number> {
  const batches = Math.floor(files.length / batch)
  for (let i = 0; i < batches; i++) {
    const images = new Uint8Array(batch * size * size * 3)
    let next = 0
    const worker = async () => {
      for (let at = next++; at < batch; at = next++) await read(files[i * batch + at]!, images, at)
    }
    // One more than there are threads, so that none waits for JavaScript.
    await Promise.all(Array.from({ length: threads + 1 }, worker))
  }
  return batches * batch
}

await pass()
const start = performance.now()
let images = 0
for (let i = 0; i < passes; i++) images += await pass()
const peer = `sharp ${sharp.versions.sharp ?? ''} (libvips ${sharp.versions.vips})`
reportReading({ peer, imagesPerSecond: (images / (performance.now() - start)) * 1000 })
