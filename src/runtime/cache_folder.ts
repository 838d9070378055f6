/** Where a user's machine keeps what can be made anew: `$ERASERELU_CACHE`, else `$XDG_CACHE_HOME/eraserelu`, else `~/.cache/eraserelu`. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A folder in it, which need not exist. Throws where none of the three is known. */
export function cacheFolder(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(env.ERASERELU_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'eraserelu'), name)
}
