/** The settings that choose the engines of a GPU, for every command that runs a network. */
import type { EngineOptions } from '../runtime/policy.js'
import { defaults, givenSettings, type Settings } from './train_settings.js'

export const engineKeys = ['autotune', 'nondeterministic', 'workspace-limit'] as const

/** What compile(), evaluate() and Trainer take. */
export function engineOptionsOf(settings: Pick<Settings, (typeof engineKeys)[number]>): EngineOptions {
  const { autotune, nondeterministic, 'workspace-limit': limit } = settings
  return { autotune, deterministic: !nondeterministic, ...(limit !== undefined && { workspaceLimit: limit * 2 ** 20 }) }
}

/** From the flags of a command as commander read them. */
export const engineOptionsGiven = (flags: object): EngineOptions =>
  engineOptionsOf({ ...defaults, ...givenSettings(engineKeys, flags) })
