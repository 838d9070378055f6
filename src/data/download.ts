/** Downloads published files into a folder; a file appears under its name only when complete and checked. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { createGunzip } from 'node:zlib'

/** A file at a published address. */
export interface PublishedFile {
  readonly name: string
  /** Of the file as published. */
  readonly md5: string
  /** Of what is in it, unzipped, where that is known too. */
  readonly sha256?: string
  /** The file is a tar archive, of which this folder is kept. */
  readonly holds?: string
}

/** Fetches those of `files` that `folder` does not have yet. Throws an Error that names the address and what was wrong with it. */
export async function download(address: string, files: readonly PublishedFile[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const file of files) {
    const target = join(folder, file.holds ?? file.name)
    if (await stat(target).catch(() => undefined)) continue
    const temporary = `${target}.${randomUUID()}.part`
    const unpacked = `${temporary}.unpacked`
    try {
      await fetchChecked(`${address}/${file.name}`, file, temporary)
      if (file.holds === undefined) await rename(temporary, target)
      else {
        const { extract } = await import('tar')
        await mkdir(unpacked)
        await extract({ file: temporary, cwd: unpacked, strict: true, filter: path => path.startsWith(`${file.holds}/`) })
        await rename(join(unpacked, file.holds), target)
      }
    } finally {
      await rm(temporary, { force: true })
      await rm(unpacked, { force: true, recursive: true })
    }
  }
}

async function fetchChecked(url: string, { md5, sha256 }: PublishedFile, file: string): Promise<void> {
  const got = await fetchInto(url, file)
  if (got !== md5) throw new Error(`${url}: MD5 is ${got}, published is ${md5}; the download was discarded`)
  if (sha256 === undefined) return
  const content = createHash('sha256')
  await pipeline(createReadStream(file), createGunzip(), content)
  if (content.digest('hex') !== sha256)
    throw new Error(`${url}: the unzipped content is not the published data set; the download was discarded`)
}

/** The MD5 of what was fetched. A connection that stays silent for five minutes is given up, as `fetch` does. */
async function fetchInto(url: string, file: string): Promise<string> {
  const hash = createHash('md5')
  let response: Response
  try {
    response = await fetch(url)
    if (response.ok) {
      const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>)
      body.on('data', (chunk: Uint8Array) => hash.update(chunk))
      await pipeline(body, createWriteStream(file, { flush: true }))
      return hash.digest('hex')
    }
  } catch (error) {
    throw new Error(`${url}: ${reasonOf(error)}`, { cause: error })
  }
  throw new Error(`${url}: HTTP ${response.status} ${response.statusText}`)
}

/** fetch says only "fetch failed"; what failed is its cause, which may have a code and no message. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  return cause.message || String((cause as NodeJS.ErrnoException).code)
}
