/** Makes small IDX files for the tests. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export function idx(shape: readonly number[], data: Uint8Array, magic = 0x0800 + shape.length): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt32BE(magic)
  shape.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i))
  return Buffer.concat([header, data])
}

/** The four files of a data set in the form of Fashion-MNIST, with `train` and `test` images. */
export function fourFiles(train: number, test: number): Record<string, Buffer> {
  const part = (name: string, size: number) => ({
    [`${name}-images-idx3-ubyte.gz`]: gzipSync(
      idx(
        [size, 28, 28],
        Uint8Array.from({ length: size * 784 }, (_, i) => i % 251),
      ),
    ),
    [`${name}-labels-idx1-ubyte.gz`]: gzipSync(
      idx(
        [size],
        Uint8Array.from({ length: size }, (_, i) => i % 10),
      ),
    ),
  })
  return { ...part('train', train), ...part('t10k', test) }
}

export function writeFiles(folder: string, files: Record<string, Buffer>): string {
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
  return folder
}
