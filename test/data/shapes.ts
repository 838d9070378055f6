/** A folder of 60 small images of three classes: 48 to train on, 12 to test on (made by test/golden/make_images.py). */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const shapeClasses = ['blue', 'green', 'red']

/** Writes them as `folder`/train/CLASS/N.jpg and `folder`/val/CLASS/N.jpg. */
export function writeShapes(folder: string): void {
  const all = readFileSync(join(import.meta.dirname, '..', 'golden', 'images', 'shapes.jpgs'))
  const start = Buffer.from([0xff, 0xd8, 0xff, 0xe0])
  for (let i = 0, from = 0; from >= 0 && from < all.length; ++i) {
    const next = all.indexOf(start, from + 1)
    const target = join(folder, i < 48 ? 'train' : 'val', shapeClasses[2 - (i % 3)]!)
    mkdirSync(target, { recursive: true })
    writeFileSync(join(target, `${i}.jpg`), all.subarray(from, next < 0 ? all.length : next))
    from = next
  }
}
