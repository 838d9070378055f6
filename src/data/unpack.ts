/** Gives the files back that were packed into shards. */
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder, writing } from '../runtime/durable_files.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireKnownOptions, requireSignal } from '../runtime/options.js'
import type { ImageFileSet } from './image_files.js'
import { checksumOf } from './shard_file.js'
import { shards } from './shards.js'

/** Options of `unpack`. */
export interface UnpackOptions {
  /** Ends it between two images; it then throws the signal's reason. */
  signal?: AbortSignal
  /** Told after every so many images how many of how many are written. */
  onProgress?: (progress: { readonly images: number; readonly total: number }) => void
}

/** What was unpacked. */
export interface UnpackResult {
  /** Files that were written. */
  readonly images: number
}

/**
 * Writes the images of shards as `out`/train/CLASS/… and `out`/val/CLASS/…; what was kept has the bytes that it had. `out` must be
 * empty or not exist. Throws InvalidArgument that names shard and image where one is damaged.
 */
export async function unpack(path: string, out: string, options: UnpackOptions = {}): Promise<UnpackResult> {
  requireKnownOptions('data.unpack', options, ['signal', 'onProgress'])
  const { signal, onProgress } = options
  requireSignal('data.unpack', signal)
  const { train, test, classNames } = await shards(path)
  await makeFolder(out)
  if ((await readdir(out)).length > 0) throw new InvalidArgument(`${out} is not empty; give another folder`)
  const total = train.names.length + (test?.names.length ?? 0)
  let images = 0
  for (const [part, set] of [
    ['train', train],
    ['val', test],
  ] as const)
    // prettier-ignore
    for await (const { bytes, where, label, name } of set ? imagesOf(set) : []) {
      signal?.throwIfAborted()
      const words = [classNames[label]!, ...name.split('/')]
      if (words.some(word => word === '' || word === '..' || word === '.') || classNames[label]!.includes('/'))
        throw new InvalidArgument(`${where}: '${words.join('/')}' is no place in a folder`)
      await put(join(out, part, ...words), bytes, where)
      images += 1
      if (images % 64 === 0 || images === total) onProgress?.({ images, total })
    }
  return { images }
}

async function put(file: string, bytes: Uint8Array, where: string): Promise<void> {
  await writing(file, async () => {
    try {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, bytes, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new InvalidArgument(`${where}: a second image of this name: ${file} is there already`, { cause: error })
    }
  })
}

/** The images with their bytes, which have the checksums that they should have. */
async function* imagesOf({ root, names, labels, pieces }: ImageFileSet) {
  const { paths, files, offsets, lengths, checksums } = pieces!
  for (const [number, path] of paths.entries()) {
    const handle = await open(join(root, path), 'r')
    try {
      for (let i = files.indexOf(number); files[i] === number; ++i) {
        const where = `${join(root, path)}, byte ${offsets[i]!} (${names[i]!})`
        const bytes = new Uint8Array(lengths[i]!)
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, offsets[i])
        if (bytesRead < bytes.length || checksumOf(bytes) !== checksums![i])
          throw new InvalidArgument(`${where}: damaged: the bytes do not have the checksum that was stored with them`)
        yield { bytes, where, label: labels[i]!, name: names[i]! }
      }
    } finally {
      await handle.close()
    }
  }
}
