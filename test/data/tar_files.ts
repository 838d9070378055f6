/** Tar files as WebDataset has them, made here. */
import { Header } from 'tar'

export interface Entry {
  name: string
  bytes: Uint8Array | string
  type?: 'File' | 'SymbolicLink' | 'Directory'
}

/** A tar file (ustar) with these members. */
export function tarOf(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap(({ name, bytes, type = 'File' }) => {
    const header = new Header({ path: name, mode: 0o644, size: bytes.length, mtime: new Date(0), type })
    header.encode()
    return [header.block!, padded(Buffer.from(bytes))]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)])

/** Two members a sample: the image, and the number of its class. */
export const samplesOf = (images: readonly { key: string; bytes: Uint8Array; label: number }[]): Entry[] =>
  images.flatMap(({ key, bytes, label }) => [
    { name: `${key}.jpg`, bytes },
    { name: `${key}.cls`, bytes: String(label) },
  ])
