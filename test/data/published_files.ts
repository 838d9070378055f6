/** The data root with the small files that published/make.py made, and the same images in other formats. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/runtime/package_root.js'

export const published = join(packageRoot(), 'test/data/published')

/** As in make.py: the pixels of image `n` of file number `k`, [32, 32, 3]. */
export function pixelsOf(n: number, k: number): Uint8Array {
  return Uint8Array.from({ length: 3072 }, (_, i) => {
    const [row, column, channel] = [Math.floor(i / 96), Math.floor(i / 3) % 32, i % 3]
    return (7 * n + 3 * row + 5 * column + 11 * channel + 13 * k) % 256
  })
}

/** A record of a binary file of CIFAR. */
export function record(labels: readonly number[], n: number, k: number): Uint8Array {
  const pixels = pixelsOf(n, k)
  const planes = [0, 1, 2].flatMap(channel => Array.from({ length: 1024 }, (_, i) => pixels[3 * i + channel]!))
  return Uint8Array.from([...labels, ...planes])
}

const batches = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']

/** The binary files of CIFAR-10 with the images of make.py. */
export const cifar10Files = (): Record<string, Buffer> =>
  Object.fromEntries(batches.map((name, k) => [`${name}.bin`, Buffer.concat([record([k], 0, k), record([9], 1, k)])]))

/** The binary files of CIFAR-100 with the images of make.py. */
export const cifar100Files = (): Record<string, Buffer> =>
  Object.fromEntries(
    ['train.bin', 'test.bin'].map((name, k) => [
      name,
      Buffer.concat([record([19, k], 0, k), record([0, 99], 1, k), record([1, 50], 2, k)]),
    ]),
  )

export function write(folder: string, files: Readonly<Record<string, Uint8Array>>): string {
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
  return folder
}
