/** Files and folders that are complete and on the disk, or as they were before: what may be counted on after a power failure. */
import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm, stat, statfs, symlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EraseReLUError, InvalidArgument, OutputError } from './errors.js'

/** Runs `write`; its failure becomes an OutputError that names the file, the reason and, for a full disk, the room there is. */
export async function writing<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof EraseReLUError) throw error
    const { message, syscall } = error as NodeJS.ErrnoException
    // What follows the reason names a temporary file.
    const reason = syscall === undefined ? message : message.split(', ')[0]!
    throw new OutputError(`${file} could not be written: ${reason}${await roomIn(file, error)}`, { cause: error })
  }
}

async function roomIn(file: string, error: unknown): Promise<string> {
  if (!['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
  try {
    const { bavail, bsize } = await statfs(dirname(file))
    return `; ${((bavail * bsize) / 1e6).toFixed(1)} MB are free`
  } catch {
    return ''
  }
}

/** Makes a folder and those above it. Node's own recursive mkdir never returns for a folder in /proc. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      if ((await stat(folder)).isDirectory()) return
      throw new InvalidArgument(`${folder} is a file, not a folder`, { cause: error })
    }
    const parent = dirname(folder)
    if (code !== 'ENOENT' || parent === folder) throw error
    await makeFolder(parent)
    await mkdir(folder)
  }
}

/** Replaces a file, or makes it. Throws OutputError, and leaves the old one. */
export async function writeFileWhole(file: string, content: string | Uint8Array | readonly Uint8Array[]): Promise<void> {
  const fresh = `${file}.new`
  const parts = typeof content === 'string' ? [Buffer.from(content)] : content instanceof Uint8Array ? [content] : content
  await writing(file, async () => {
    try {
      await writeHashed(fresh, parts)
      await rename(fresh, file)
      await syncFolder(dirname(file))
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => undefined)
      throw error
    }
  })
}

/** Size and SHA-256, in hexadecimal, of a file. */
export interface FileDigest {
  readonly bytes: number
  readonly sha256: string
}

/** Bytes handled at a time, so that hashing and copying never hold up the event loop. */
const pieceBytes = 4 << 20

/** Writes parts one after the other and brings them to the disk. */
export async function writeHashed(file: string, parts: Iterable<Uint8Array>): Promise<FileDigest> {
  const hash = createHash('sha256')
  let bytes = 0
  await withFile(file, 'w', async handle => {
    for (const part of parts) {
      for (let at = 0; at < part.length; at += pieceBytes) {
        const piece = part.subarray(at, at + pieceBytes)
        await handle.writeFile(piece)
        hash.update(piece)
      }
      bytes += part.length
    }
    await handle.sync()
  })
  return { bytes, sha256: hash.digest('hex') }
}

export async function readHashed(file: string): Promise<{ content: Uint8Array; digest: FileDigest }> {
  const hash = createHash('sha256')
  return withFile(file, 'r', async handle => {
    const content = new Uint8Array((await handle.stat()).size)
    for (let at = 0; at < content.length;) {
      const piece = content.subarray(at, at + pieceBytes)
      const { bytesRead } = await handle.read(piece)
      if (bytesRead === 0) throw new Error('it became shorter while it was read')
      hash.update(piece.subarray(0, bytesRead))
      at += bytesRead
    }
    return { content, digest: { bytes: content.length, sha256: hash.digest('hex') } }
  })
}

/** Beside a folder `name`: the new one while it is written, and the old one while it is replaced. */
const unfinished = (folder: string) => join(dirname(folder), `.writing-${basename(folder)}`)
const replaced = (folder: string) => join(dirname(folder), `.replaced-${basename(folder)}`)

/** The name that a `.replaced-` folder had. */
export const nameBefore = (name: string): string | undefined => /^\.replaced-(.*)$/.exec(name)?.[1]

/** Makes a folder with what `fill` puts into it; one of the same name is replaced, and missing for two renames at most. */
export async function writeFolderWhole(folder: string, fill: (fresh: string) => Promise<void>): Promise<void> {
  const [fresh, old] = [unfinished(folder), replaced(folder)]
  await writing(folder, async () => {
    try {
      await rm(fresh, { recursive: true, force: true })
      await makeFolder(fresh)
      await fill(fresh)
      await syncFolder(fresh)
      await rm(old, { recursive: true, force: true })
      await rename(folder, old).catch(ignoreMissing)
      await rename(fresh, folder)
      await syncFolder(dirname(folder))
      await rm(old, { recursive: true, force: true })
    } catch (error) {
      await rm(fresh, { recursive: true, force: true }).catch(() => undefined)
      throw error
    }
  })
}

/** Removes a folder so that it is there whole or not at all. */
export async function removeFolderWhole(folder: string): Promise<void> {
  const doomed = unfinished(folder)
  await writing(folder, async () => {
    await rm(doomed, { recursive: true, force: true })
    await rename(folder, doomed)
    await rm(doomed, { recursive: true, force: true })
  })
}

/** Makes `link` point to `target`, from whatever it pointed to before. */
export async function replaceLink(link: string, target: string): Promise<void> {
  const fresh = `${link}.new`
  await writing(link, async () => {
    await rm(fresh, { force: true })
    await symlink(target, fresh)
    await rename(fresh, link)
    await syncFolder(dirname(link))
  })
}

export const syncFolder = (folder: string): Promise<void> => withFile(folder, 'r', handle => handle.sync())

async function withFile<T>(file: string, flags: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, flags)
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
