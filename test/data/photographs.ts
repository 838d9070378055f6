/** A folder of photographs of three classes, made of the few in `photographs/` (their README says whose they are). */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ImageFiles, ImageReader, imageRing, noChanges } from '../../src/runtime/image_reader.js'

const folder = join(import.meta.dirname, 'photographs')
const photographs = readdirSync(folder)
  .filter(name => name.endsWith('.jpg'))
  .sort()
const classOf = (photograph: string) => photograph.split('-')[0]!

const [height, width] = [120, 160]
const threads = 2

/**
 * Writes `train` and `val` crops of each photograph, JPEGs of 160x120 at quality 92, as `root`/train/CLASS/N.jpg and
 * `root`/val/CLASS/N.jpg.
 */
export async function writePhotographs(root: string, { train, val }: { train: number; val: number }): Promise<void> {
  const crop = { minScale: 0.15, maxScale: 0.6, minRatio: 1.2, maxRatio: 1.5 }
  const view = { height, width, random: true, ...crop, flip: true, resize: height }
  const order = Int32Array.from(photographs.keys())
  const files = new ImageFiles(folder, photographs, order)
  const options = { view, ...noChanges, seed: 1, order, batchSize: 1, firstBatch: 0, ahead: threads, threads, maxCorrupt: 0 }
  const names: string[] = []
  for (let n = 0; n < train + val; ++n) {
    using reader = new ImageReader(files, { ...options, epoch: n }, imageRing(threads + 1, 1, view))
    for (const photograph of photographs) {
      const { images } = await reader.next()
      const name = join(n < train ? 'train' : 'val', classOf(photograph), `${names.length}.ppm`)
      mkdirSync(join(root, dirname(name)), { recursive: true })
      writeFileSync(join(root, name), Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), images]))
      names.push(name)
    }
  }
  const every = Int32Array.from(names.keys())
  const pixels = new ImageFiles(root, names, every)
  const { bytes, lengths } = await pixels.recode(every, { format: 'jpeg', quality: 92, threads })
  let at = 0
  for (const [i, name] of names.entries()) {
    writeFileSync(join(root, name.replace('.ppm', '.jpg')), bytes.subarray(at, (at += lengths[i]!)))
    rmSync(join(root, name))
  }
}
