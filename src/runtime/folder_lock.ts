/** One process that writes into a folder: a file there names it, and is void when that process has ended. */
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { writing } from './durable_files.js'
import { InvalidArgument } from './errors.js'

/**
 * Takes the folder by the file `name` in it; gives what releases it. Throws InvalidArgument where a living process of this machine has
 * it. `doing`: what for, as messages say it before the folder.
 */
export async function lockFolder(folder: string, name: string, doing: string): Promise<() => Promise<void>> {
  const file = join(folder, name)
  // With the folder's own number: a copy of the folder has no lock.
  const { ino } = await stat(folder)
  const mine = `${process.pid} ${hostname()} ${await startOf(process.pid)} ${ino}\n`
  const release = async () => {
    if ((await textOf(file)) === mine) await rm(file, { force: true })
  }
  for (let attempt = 0; ; attempt++) {
    if (await writing(file, () => create(file, mine))) return release
    const held = await textOf(file)
    const holder = await holderIn(folder, held)
    if (holder !== undefined || attempt > 2) {
      const who = holder === process.pid ? 'this process' : holder === undefined ? 'another process' : `process ${holder}`
      throw new InvalidArgument(`${who} is ${doing} ${folder}: wait for it to end, or give another folder`)
    }
    await remove(file, held)
  }
}

/** The living process of this machine that has the folder by the file `name`. */
export async function holderOf(folder: string, name: string): Promise<number | undefined> {
  return holderIn(folder, await textOf(join(folder, name)))
}

async function holderIn(folder: string, text: string): Promise<number | undefined> {
  const [pid, host, start, inode] = text.trim().split(' ')
  if (host !== hostname() || start === undefined || start !== (await startOf(Number(pid)))) return undefined
  const { ino } = await stat(folder)
  return Number(inode) === ino ? Number(pid) : undefined
}

const textOf = (file: string) => readFile(file, 'utf8').catch(() => '')

let others = 0
/** A name beside the file that nobody else has. */
const beside = (file: string) => `${file}.${process.pid}.${others++}`

/** What file systems without hard links say. */
const noLinks = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])
const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? ''

/** Whether there was no such file. It appears with its text, so that nobody finds it empty. */
async function create(file: string, text: string): Promise<boolean> {
  const own = beside(file)
  await writeFile(own, text)
  try {
    await link(own, file).catch((error: unknown) => {
      if (!noLinks.has(codeOf(error))) throw error
      return writeFile(file, text, { flag: 'wx' })
    })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(own, { force: true })
  }
}

/** Removes a void lock; one that another process has put there meanwhile goes back. */
async function remove(file: string, held: string): Promise<void> {
  const own = beside(file)
  await rename(file, own).catch(() => undefined)
  const moved = await textOf(own)
  if (moved !== '' && moved !== held) await link(own, file).catch(() => undefined)
  await rm(own, { force: true })
}

/** When a process began, in clock ticks since boot: tells it from a later one of the same number. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name of the program, in brackets, may hold spaces; the start is the 20th word after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}
