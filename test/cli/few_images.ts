/** A folder with a few images of the shipped sample, in the files of Fashion-MNIST: data that trains in seconds. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { packageRoot } from '../../src/runtime/package_root.js'

export async function fewImages(folder: string, count: { train: number; t10k: number }): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const part of ['train', 't10k'] as const) {
    await thin(folder, `${part}-images-idx3-ubyte.gz`, count[part], 16)
    await thin(folder, `${part}-labels-idx1-ubyte.gz`, count[part], 8)
  }
  return folder
}

/** Takes `count` items, evenly spread: an idx file has its number of items, big-endian, at byte 4. */
async function thin(folder: string, name: string, count: number, headerBytes: number): Promise<void> {
  const whole = await promisify(gunzip)(await readFile(join(packageRoot(), 'src/data/sample', name)))
  const all = whole.readUInt32BE(4)
  const itemBytes = (whole.length - headerBytes) / all
  const items = Array.from({ length: count }, (_, i) => headerBytes + Math.floor((i * all) / count) * itemBytes)
  whole.writeUInt32BE(count, 4)
  const kept = [whole.subarray(0, headerBytes), ...items.map(at => whole.subarray(at, at + itemBytes))]
  await writeFile(join(folder, name), await promisify(gzip)(Buffer.concat(kept)))
}
