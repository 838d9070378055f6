/** Random erasing (Zhong et al. 2017, 1708.04896) of images in memory: the rectangles that native/input/erase_rectangle.cc chooses for files. */
import { integerBelow, philoxBlock, streams } from '../runtime/philox.js'

const scale = [0.02, 0.33] as const
const ratio = [0.3, 3.3] as const

const uniform = (word: number, [low, high]: readonly [number, number]) => low + (high - low) * (word / 2 ** 32)

/**
 * Sets `rows` [height] and `columns` [width] to 1 where the rectangle of an image is; they are left alone where chance, or ten
 * rectangles that do not fit, leave the image as it is. A function of the numbers alone.
 */
export function eraseRectangle(
  probability: number,
  seed: number,
  epoch: number,
  image: number,
  rows: Float32Array,
  columns: Float32Array,
): void {
  const words = new Uint32Array(4)
  const block = (n: number) => philoxBlock(seed, epoch, streams.erasing, 16 * image + n, words)
  block(15)
  if (!(words[0]! / 2 ** 32 < probability)) return
  for (let attempt = 0; attempt < 10; ++attempt) {
    block(attempt)
    const area = rows.length * columns.length * uniform(words[0]!, scale)
    const stretch = Math.exp(uniform(words[1]!, [Math.log(ratio[0]), Math.log(ratio[1])]))
    const [height, width] = [Math.round(Math.sqrt(area * stretch)), Math.round(Math.sqrt(area / stretch))]
    if (height >= rows.length || width >= columns.length) continue
    const top = integerBelow(words[2]!, rows.length - height + 1)
    const left = integerBelow(words[3]!, columns.length - width + 1)
    rows.fill(1, top, top + height)
    columns.fill(1, left, left + width)
    return
  }
}
