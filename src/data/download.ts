/** Downloads published files into a folder; a file appears under its name only when complete and checked. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export interface PublishedFile {
  name: string
  /** Of the file as published. */
  md5: string
  /** Of what is in it, unzipped. */
  sha256: string
}

const digest = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex')

/** Fetches those of `files` that `folder` does not have yet. Throws an Error that names the address and what was wrong with it. */
export async function download(address: string, files: readonly PublishedFile[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const file of files) {
    const target = join(folder, file.name)
    if (await stat(target).catch(() => undefined)) continue
    const bytes = await fetchChecked(`${address}/${file.name}`, file)
    const temporary = `${target}.${randomUUID()}.part`
    try {
      await writeFile(temporary, bytes, { flush: true })
      await rename(temporary, target)
    } finally {
      await rm(temporary, { force: true })
    }
  }
}

async function fetchChecked(url: string, { md5, sha256 }: PublishedFile): Promise<Uint8Array> {
  const bytes = await fetchBytes(url)
  const got = digest('md5', bytes)
  if (got !== md5) throw new Error(`${url}: MD5 is ${got}, published is ${md5}; the download was discarded`)
  if (digest('sha256', gunzipSync(bytes)) !== sha256)
    throw new Error(`${url}: the unzipped content is not the published data set; the download was discarded`)
  return bytes
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(600_000) })
    if (response.ok) return new Uint8Array(await response.arrayBuffer())
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
