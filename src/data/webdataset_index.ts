/** Where the samples of a tar file of WebDataset lie, and their classes; kept in the user's cache, for the next time. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { cacheFolder } from '../runtime/cache_folder.js'
import { InvalidArgument } from '../runtime/errors.js'
import { FileWindow } from './file_window.js'
import { tarMembers, type TarMember } from './tar.js'

/** An image in a tar file with its class. */
export interface TarSample extends TarMember {
  readonly label: number
}

const imageKeys = ['jpg', 'jpeg', 'png', 'ppm']
/** A class number, or an object with one among much else. */
const longest = { cls: 32, json: 1 << 20 }

/** The samples in their order: from the cache, where that is of the file as it is now, else from the file's headers. */
export async function samplesOf(file: string): Promise<TarSample[]> {
  const kept = join(cacheFolder('tar'), `${createHash('sha256').update(resolve(file)).digest('hex').slice(0, 32)}.json`)
  return (await fromCache(file, kept)) ?? scan(file, kept)
}

async function keptSchema() {
  const { z } = await import('zod')
  const number = z.number().int().min(0)
  return z.object({
    version: z.literal(1),
    bytes: number,
    mtimeMs: z.number(),
    samples: z.array(z.tuple([z.string(), number, number, number])),
  })
}

async function fromCache(file: string, kept: string): Promise<TarSample[] | undefined> {
  try {
    const { size, mtimeMs } = await stat(file)
    const content = (await keptSchema()).parse(JSON.parse(await readFile(kept, 'utf8')))
    if (content.bytes !== size || content.mtimeMs !== mtimeMs) return undefined
    return content.samples.map(([name, offset, length, label]) => ({ name, offset, length, label }))
  } catch {
    return undefined
  }
}

async function scan(file: string, kept: string): Promise<TarSample[]> {
  return FileWindow.over(file, async window => {
    const samples = await scanSamples(file, window)
    const { size: bytes, mtimeMs } = window
    const rows = samples.map(({ name, offset, length, label }) => [name, offset, length, label])
    const fresh = `${kept}.${process.pid}`
    // A cache that cannot be written is none.
    await mkdir(dirname(kept), { recursive: true })
      .then(() => writeFile(fresh, JSON.stringify({ version: 1, bytes, mtimeMs, samples: rows })))
      .then(() => rename(fresh, kept))
      .catch(() => undefined)
    return samples
  })
}

/** The samples of a tar file. Throws InvalidArgument that names file and byte. */
export async function scanSamples(file: string, window: FileWindow): Promise<TarSample[]> {
  const samples: TarSample[] = []
  let key: string | undefined
  let parts = new Map<string, TarMember>()
  const finish = async () => {
    if (key !== undefined) samples.push(await sampleOf(file, window, key, parts))
  }
  for await (const member of tarMembers(file, window)) {
    const [, stem, extension] = /^((?:.*\/)?[^./]+)\.([^/]*)$/.exec(member.name) ?? []
    if (stem === undefined || extension === undefined || /(^|\/)__[^/]*$/.test(stem)) continue
    if (stem !== key) {
      await finish()
      key = stem
      parts = new Map()
    }
    const part = extension.toLowerCase()
    if (parts.has(part)) throw new InvalidArgument(`${file}, byte ${member.offset}: sample '${stem}' has two members .${part}`)
    parts.set(part, member)
  }
  await finish()
  return samples
}

async function sampleOf(
  file: string,
  window: FileWindow,
  key: string,
  parts: ReadonlyMap<string, TarMember>,
): Promise<TarSample> {
  const [first] = [...parts.values()]
  const fail = (reason: string, at = first!.offset): never => {
    throw new InvalidArgument(`${file}, byte ${at}: sample '${key}' ${reason}`)
  }
  const there = [...parts.keys()].map(part => `.${part}`).join(', ')
  const images = imageKeys.flatMap(name => parts.get(name) ?? [])
  if (images.length !== 1)
    fail(`has ${images.length === 0 ? 'no image' : 'several images'} (.jpg, .png) among its members ${there}`)
  const textOf = async (part: 'cls' | 'json') => {
    const member = parts.get(part)
    if (!member) return undefined
    if (member.length > longest[part]) fail(`has a .${part} of ${member.length} bytes`, member.offset)
    return (await window.read(member.offset, member.length)).toString('utf8').trim()
  }
  const text = (await textOf('cls')) ?? classIn(await textOf('json'))
  if (text === undefined) return fail(`has no class: neither .cls nor a .json with label or cls among its members ${there}`)
  if (!/^\d{1,6}$/.test(text))
    fail(`has the class '${text.slice(0, 40)}', no number from 0 to 999999`, (parts.get('cls') ?? parts.get('json'))!.offset)
  return { ...images[0]!, label: Number(text) }
}

/** Of a JSON object; undefined: there is none. */
function classIn(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    const content = JSON.parse(text) as { label?: unknown; cls?: unknown } | null
    const value = content?.label ?? content?.cls
    return typeof value === 'number' || typeof value === 'string' ? String(value) : undefined
  } catch {
    return undefined
  }
}
