/** How a backend may choose among the engines of a library: the policy of a plan (native/plan/policy.h), and the options it is made from. */
import type { PrepareProgress } from './addon.js'
import { requireBoolean, requireFunction, requireInteger } from './options.js'

/** What is computed, on one line → the name of the engine that was taken for it after a timing. */
export type EngineChoices = Readonly<Record<string, string>>

/** What a plan asks of its engines. A backend without a choice ignores it. */
export interface Policy {
  /** The same bytes in give the same bytes out. */
  readonly deterministic: boolean
  /** Time the candidates and keep the fastest. */
  readonly autotune: boolean
  /** Under autotune: of an earlier run, taken again without a timing where they can be used. */
  readonly choices: EngineChoices
  /** f32 convolutions may round their operands to TF32. */
  readonly tf32: boolean
  /** The CPU may compute convolutions in f32 by kernels of its own, which round otherwise. */
  readonly ownConvolutions: boolean
  /** Most bytes of scratchpad that an engine may take; -1: no limit. */
  readonly workspaceLimit: number
}

/** Options of compile(), run() and Trainer about the engines of cuDNN; other devices ignore them. */
export interface EngineOptions {
  /** Time the engines that fit at their first use and keep the fastest that computes right. Default false: the one that cuDNN thinks fastest. */
  autotune?: boolean | undefined
  /** Only engines that give the same bytes for the same bytes. Default true. */
  deterministic?: boolean | undefined
  /** Most bytes of scratchpad that one engine may take: an integer of at least 0. Default: no limit. */
  workspaceLimit?: number | undefined
  /**
   * Called while operations are prepared, which takes long where engines are checked or timed: how many are ready, of how many. What it throws ends
   * the call that prepares.
   */
  onPrepare?: PrepareProgress | undefined
}

export const engineOptionNames = ['autotune', 'deterministic', 'workspaceLimit', 'onPrepare'] as const

export function policyOf(
  { autotune = false, deterministic = true, workspaceLimit = -1 }: EngineOptions = {},
  {
    tf32 = false,
    ownConvolutions = true,
    choices = {},
  }: { tf32?: boolean; ownConvolutions?: boolean; choices?: EngineChoices | undefined } = {},
): Policy {
  return { deterministic, autotune, choices, tf32, ownConvolutions, workspaceLimit }
}

/** Throws InvalidArgument for what is no such option; `where`: 'compile'. */
export function checkEngineOptions(where: string, options: EngineOptions): void {
  const { autotune, deterministic, workspaceLimit, onPrepare } = options
  if (autotune !== undefined) requireBoolean(where, 'autotune', autotune)
  if (deterministic !== undefined) requireBoolean(where, 'deterministic', deterministic)
  if (workspaceLimit !== undefined) requireInteger(where, 'workspaceLimit', workspaceLimit, 0)
  if (onPrepare !== undefined) requireFunction(where, 'onPrepare', onPrepare, '(prepared, total) => void')
}
