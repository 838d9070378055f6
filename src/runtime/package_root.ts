import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Internal } from './errors.js'

let found: string | undefined

/** The folder of this package: where package.json, the built addon and the shipped data set are, from src and from dist. */
export function packageRoot(): string {
  found ??= search(dirname(fileURLToPath(import.meta.url)))
  return found
}

export const packageVersion = (): string => packageJson(packageRoot()).version

function search(folder: string): string {
  if (existsSync(join(folder, 'package.json')) && packageJson(folder).name === 'eraserelu') return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Internal('the package root was not found')
  return search(parent)
}

const packageJson = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string; version: string }
