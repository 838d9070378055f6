/** The checkpoints of a run: `checkpoints/step-N/`, and the links `last` and `best` beside that folder. */
import { readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { nameBefore, removeFolderWhole, replaceLink, writing } from '../runtime/durable_files.js'
import { InvalidArgument } from '../runtime/errors.js'
import { DamagedCheckpoint } from './checkpoint.js'

const folderName = 'checkpoints'

export class CheckpointFolder {
  readonly folder: string

  constructor(private readonly runFolder: string) {
    this.folder = join(runFolder, folderName)
  }

  /** Clears away what a killed process had not finished. */
  async tidy(): Promise<void> {
    await writing(this.folder, async () => {
      const names = await this.names()
      for (const name of names) {
        const before = nameBefore(name)
        // A killed process had moved it aside and not yet put the new one in its place.
        if (before && !names.includes(before)) await rename(join(this.folder, name), join(this.folder, before))
        else if (before || name.startsWith('.writing-')) await rm(join(this.folder, name), { recursive: true, force: true })
      }
    })
  }

  path(step: number): string {
    return join(this.folder, `step-${step}`)
  }

  /** The steps that have a checkpoint, from the first to the last. */
  async steps(): Promise<number[]> {
    const steps = (await this.names()).map(name => /^step-(\d+)$/.exec(name)?.[1]).filter(step => step !== undefined)
    return steps.map(Number).sort((a, b) => a - b)
  }

  /** Whether a folder is one of these checkpoints. */
  async holds(checkpoint: string): Promise<boolean> {
    const real = await realpath(checkpoint)
    return /^step-\d+$/.test(basename(real)) && this.is(dirname(real))
  }

  /** Whether both are the same folder, links followed. */
  async is(folder: string): Promise<boolean> {
    const [mine, other] = await Promise.all([this.folder, folder].map(each => realpath(each).catch(() => undefined)))
    return mine !== undefined && mine === other
  }

  /** The newest checkpoint that is not damaged; each one passed over has a line in `notes`. */
  async newest<T>(read: (folder: string) => Promise<T>): Promise<{ found: T | undefined; damaged: number[]; notes: string[] }> {
    const notes: string[] = []
    const damaged: number[] = []
    for (const step of (await this.steps()).reverse()) {
      try {
        return { found: await read(this.path(step)), damaged, notes }
      } catch (error) {
        if (!(error instanceof DamagedCheckpoint)) throw error
        damaged.push(step)
        notes.push(error.message)
      }
    }
    return { found: undefined, damaged, notes }
  }

  /** Moves a checkpoint out of the way, for whoever wants to look at it; gives its new name. */
  async setAside(step: number, why: 'damaged' | 'superseded'): Promise<string> {
    const aside = join(this.folder, `${why}-step-${step}`)
    await writing(aside, async () => {
      await rm(aside, { recursive: true, force: true })
      await rename(this.path(step), aside)
    })
    return aside
  }

  async remove(step: number): Promise<void> {
    await removeFolderWhole(this.path(step))
  }

  /** Removes all but the newest `count` and the best. */
  async keep(count: number, best: number | undefined): Promise<void> {
    const old = (await this.steps()).slice(0, -count)
    for (const step of old) if (step !== best) await this.remove(step)
  }

  /** Points the links at checkpoints. */
  async link(last: number, best: number | undefined): Promise<void> {
    await replaceLink(join(this.runFolder, 'last'), join(folderName, `step-${last}`))
    const link = join(this.runFolder, 'best')
    if (best !== undefined && (await this.steps()).includes(best)) await replaceLink(link, join(folderName, `step-${best}`))
    else await writing(link, () => rm(link, { force: true }))
  }

  private async names(): Promise<string[]> {
    return readdir(this.folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw new InvalidArgument(`${this.folder} cannot be read: ${(error as Error).message}`, { cause: error })
    })
  }
}
