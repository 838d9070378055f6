/** The settings that choose which ReLUs are erased, for every command that makes a model. */
import type { EraseOptions } from '../erase.js'
import { InvalidArgument } from '../runtime/errors.js'
import { defaults, type Settings } from './train_settings.js'

export const eraseKeys = ['erase', 'erase-proportion', 'erase-select', 'keep-final', 'allow-linear'] as const

/** What eraseReLU takes; undefined when nothing is to be erased. */
export function eraseOptionsOf(settings: Pick<Settings, (typeof eraseKeys)[number]>): EraseOptions | undefined {
  const { erase: location, 'erase-proportion': proportion, 'erase-select': select } = settings
  const { 'keep-final': keepFinal, 'allow-linear': allowLinear } = settings
  if (location !== undefined) return { location, proportion, select, keepFinal, allowLinear }
  const idle = eraseKeys.find(key => settings[key] !== defaults[key])
  if (idle)
    throw new InvalidArgument(`--${idle} says how to erase, but nothing is erased: add --erase last (or first, middle, an index)`)
  return undefined
}
