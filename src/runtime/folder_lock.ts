/** One process that writes into a folder: a file there names it, and is void when that process has ended. */
import { open, readFile, rm, stat } from 'node:fs/promises'
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
  for (let attempt = 0; ; attempt++) {
    try {
      await create(file, mine)
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 2)
        return writing(file, () => Promise.reject(error as Error))
    }
    const holder = await holderOf(folder, name)
    if (holder !== undefined) {
      const who = holder === process.pid ? 'this process' : `process ${holder}`
      throw new InvalidArgument(`${who} is ${doing} ${folder}: wait for it to end, or give another folder`)
    }
    await rm(file, { force: true })
  }
}

/** The living process of this machine that has the folder by the file `name`. */
export async function holderOf(folder: string, name: string): Promise<number | undefined> {
  const [pid, host, start, inode] = (await readFile(join(folder, name), 'utf8').catch(() => '')).trim().split(' ')
  if (host !== hostname() || start === undefined || start !== (await startOf(Number(pid)))) return undefined
  const { ino } = await stat(folder)
  return Number(inode) === ino ? Number(pid) : undefined
}

async function create(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(text)
  } finally {
    await handle.close()
  }
}

/** When a process began, in clock ticks since boot: tells it from a later one of the same number. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name of the program, in brackets, may hold spaces; the start is the 20th word after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}
