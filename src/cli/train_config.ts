/** Settings of a training in YAML: what `--config` reads, and what a run folder's args.yaml holds. */
import { InvalidArgumentError } from 'commander'
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { InvalidArgument } from '../runtime/errors.js'
import { didYouMean } from '../runtime/suggest.js'
import { readSetting, settingKeys, type GivenSettings, type SettingKey, type Settings } from './train_settings.js'

/** Reads a file that maps settings to values. Throws InvalidArgument that names the file and the key. */
export async function readSettings(file: string): Promise<GivenSettings> {
  return checkedSettings(await readYaml(file, "settings to values, such as 'lr: 0.1'"), file)
}

/** Settings by their keys; `where` is for messages. */
export const checkedSettings = (content: object, where: string): GivenSettings =>
  Object.fromEntries(Object.entries(content).map(([key, value]) => [key, checked(key, value, where)]))

/** A YAML file that holds a mapping; `what` says of what to what. */
export async function readYaml(file: string, what: string): Promise<object> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new InvalidArgument(`${file}: cannot be read (${(error as Error).message})`, { cause: error })
  })
  let content: unknown
  try {
    content = parse(text) ?? {}
  } catch (error) {
    throw new InvalidArgument(`${file} is not YAML: ${(error as Error).message.trim()}`, { cause: error })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new InvalidArgument(`${file}: it must map ${what}`)
  return content
}

function checked(key: string, value: unknown, file: string): unknown {
  if (!settingKeys.includes(key as SettingKey)) {
    const spelt = didYouMean(key, settingKeys)
    throw new InvalidArgument(`${file}: unknown key '${key}'.${spelt} Keys are the flags of a setting without the dashes.`)
  }
  try {
    return readSetting(key as SettingKey, value)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new InvalidArgument(`${file}: ${key} ${JSON.stringify(value)} is invalid. ${error.message}`, { cause: error })
  }
}

/** Every setting as args.yaml holds it; null: not set. */
export const plainSettings = (settings: Settings): Record<SettingKey, unknown> =>
  Object.fromEntries(settingKeys.map(key => [key, settings[key] ?? null])) as Record<SettingKey, unknown>

/** One line a setting that is not what it was: 'lr: 0.1 -> 0.05'. */
export function differences(before: GivenSettings, now: Settings): string[] {
  const shown = (settings: GivenSettings, key: SettingKey) =>
    settings[key] === undefined ? 'not set' : typeof settings[key] === 'string' ? settings[key] : JSON.stringify(settings[key])
  return settingKeys
    .filter(key => key in before && shown(before, key) !== shown(now, key))
    .map(key => `${key}: ${shown(before, key)} -> ${shown(now, key)}`)
}
