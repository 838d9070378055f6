/** The folder a command writes to: refused where anything else would be lost. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { makeFolder } from '../runtime/durable_files.js'

export interface OutputFolderOptions {
  /** The command that writes: results of an earlier run have its name in their summary.json. */
  command: string
  /** The names it writes. */
  names: readonly string[]
  /** Whether results of an earlier run may be replaced. */
  replace: boolean
}

/** Makes the folder, or empties it of an earlier run's results. True: there were some. */
export async function prepareOutputFolder(folder: string, { command, names, replace }: OutputFolderOptions): Promise<boolean> {
  try {
    await makeFolder(folder)
    const there = await readdir(folder)
    if (there.length === 0) return false
    const own = await isResultOf(command, folder)
    if (!own || !replace) {
      const what = own ? `holds the results of an earlier '${command}'` : `is not empty and holds no results of '${command}'`
      throw new InvalidArgument(
        `the output folder ${folder} ${what}; nothing was changed. Give --output-dir a new or an empty folder.`,
      )
    }
    for (const name of names) await rm(join(folder, name), { recursive: true, force: true })
    return true
  } catch (error) {
    if (error instanceof InvalidArgument) throw error
    throw new InvalidArgument(`the output folder ${folder} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

async function isResultOf(command: string, folder: string): Promise<boolean> {
  try {
    const summary = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')) as { command?: unknown }
    return summary.command === command
  } catch {
    return false
  }
}
