/** One training a run folder: `run.lock` names the process that writes there. */
import { holderOf, lockFolder } from '../runtime/folder_lock.js'

export const lockName = 'run.lock'

/** Takes the folder; gives what releases it. Throws InvalidArgument where a living process of this machine has it. */
export const lock = (folder: string): Promise<() => Promise<void>> => lockFolder(folder, lockName, 'training into')

/** The living process of this machine that trains into the folder. */
export const trainerOf = (folder: string): Promise<number | undefined> => holderOf(folder, lockName)
