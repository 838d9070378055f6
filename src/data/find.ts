/** Finds the files of a published data set: on this machine, or at their published address. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../runtime/cache_folder.js'
import { InvalidArgument } from '../runtime/errors.js'
import { download, type PublishedFile } from './download.js'

/** Where `open` looks for a data set. */
export interface FindOptions {
  /** The folder with the files, or with a folder of the data set's name; nothing else is looked at then. */
  dataPath?: string
  /** Whether to download what is nowhere on this machine (default true). */
  download?: boolean
}

/** A form in which the files of a data set lie on disks. */
export interface Form {
  /** All of them, without folder. */
  readonly files: readonly string[]
  /** Usual folders for them; '': files whose names tell the data set, which may lie beside those of others. */
  readonly folders: readonly string[]
}

/** A data set with a published address. */
export interface Published {
  /** Of the data set's own folder in a data folder and in the cache: 'cifar10'. */
  readonly name: string
  /** For people: 'CIFAR-10'. */
  readonly title: string
  readonly address: string
  readonly downloads: readonly PublishedFile[]
  readonly forms: readonly Form[]
  /** A folder where an operating system keeps it, and how it gets there. */
  readonly system?: { readonly folder: string; readonly remedy: string }
  /** What needs no files. */
  readonly instead?: string
}

/** What this machine says of where data sets are. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
}

export interface Found<F extends Form = Form> {
  readonly folder: string
  readonly form: F
}

/** The folder that holds all files of one form. Throws InvalidArgument that names every place and what would work. */
export async function find(
  set: Published,
  { dataPath, download: mayDownload = true }: FindOptions,
  { env }: Surroundings = process,
): Promise<Found> {
  const { name, address, system } = set
  const cache = cacheFolder(name, env)
  const data = env.ERASERELU_DATA
  const own = [...(system ? [system.folder] : []), cache].map(place => ({ place, flat: true }))
  const places = dataPath
    ? [dataPath, join(dataPath, name)].map(place => ({ place, flat: true }))
    : [
        ...(data
          ? [
              { place: data, flat: false },
              { place: join(data, name), flat: true },
            ]
          : []),
        ...own,
      ]
  for (const { place, flat } of places) {
    const found = candidates(set, place, flat).find(({ folder, form }) => missingIn(folder, form).length === 0)
    if (found) return found
  }
  const looked = places.map(({ place, flat }) => `  ${place}: ${whatIsMissing(candidates(set, place, flat), place)}`)
  if (dataPath) throw notFound(set, looked, `put the files from ${address} there, or leave the data path out`)
  if (!mayDownload) looked.push(`  ${address}: not tried, downloading is switched off`)
  else {
    try {
      await download(address, set.downloads, cache)
      const [found] = candidates(set, cache, true).filter(({ folder, form }) => missingIn(folder, form).length === 0)
      if (found) return found
      looked.push(`  ${cache}: what was downloaded lacks files`)
    } catch (error) {
      looked.push(`  download from ${(error as Error).message}`)
    }
  }
  throw notFound(
    set,
    looked,
    `${system ? `${system.remedy}, or ` : ''}copy the files from ${address} into one of these folders or into a folder named by ` +
      `$ERASERELU_DATA or the data path${set.instead ? `; ${set.instead}` : ''}`,
  )
}

/** `flat`: any form may lie in the place itself. */
const candidates = ({ forms }: Published, place: string, flat: boolean): Found[] =>
  forms.flatMap(form =>
    [...new Set([...(flat ? [''] : []), ...form.folders])].map(folder => ({ folder: join(place, folder), form })),
  )

const missingIn = (folder: string, { files }: Form): string[] => files.filter(name => !existsSync(join(folder, name)))

function whatIsMissing(places: readonly Found[], place: string): string {
  if (!existsSync(place)) return 'no such folder'
  const incomplete = places
    .map(({ folder, form }) => ({ folder, form, missing: missingIn(folder, form) }))
    .filter(({ form, missing }) => missing.length < form.files.length)
    .sort((a, b) => a.missing.length - b.missing.length)[0]
  if (!incomplete) return 'none of the files'
  const { folder, missing } = incomplete
  return `without ${missing.map(name => join(folder, name).slice(place.length).replace(/^\/+/, '')).join(', ')}`
}

function notFound({ title, forms }: Published, looked: readonly string[], remedy: string): InvalidArgument {
  const files = forms[0]!.files.join(', ')
  return new InvalidArgument(`${title} (${files}) was not found. Looked at:\n${looked.join('\n')}\nWhat would work: ${remedy}.`)
}
