/** What a study measured: the content of results.json, read from the run folders. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckpointRecord } from '../train/checkpoint.js'
import type { EpochRow } from '../train/run_curves.js'
import { epochsIn } from '../train/run_logs.js'
import type { LayerValue } from './layers.js'
import { isBaseline, type Arm, type Run } from './matrix.js'
import { meanAndDeviation, pairedDifference, type MeanAndDeviation, type PairedDifference } from './statistics.js'

/** What happens inside the network of a run. */
export interface RunLayers {
  /** Norm of the gradient in each basic module, before the first step and after the last. */
  readonly gradientsBefore: readonly LayerValue[]
  readonly gradientsAfter: readonly LayerValue[]
  /** After training, of each ReLU that is not erased. */
  readonly active: readonly LayerValue[]
}

export interface RunResult {
  readonly seed: number
  readonly epochs: readonly EpochRow[]
  readonly layers: RunLayers | undefined
}

/** Of the last epoch. */
export const quantities = ['testAccuracy', 'testLoss', 'trainLoss'] as const
export type Quantity = (typeof quantities)[number]

export interface ArmResult extends Arm {
  readonly relus: { readonly total: number; readonly kept: number; readonly erased: number }
  readonly parameters: number
  /** Finished ones, by seed. */
  readonly runs: readonly RunResult[]
  readonly final: Readonly<Partial<Record<Quantity, MeanAndDeviation>>>
  /** This arm minus the baseline of its model, seed by seed. */
  readonly difference: Readonly<Partial<Record<Quantity, PairedDifference>>>
}

/** What of an arm does not come from its runs. */
export type ArmFacts = Pick<ArmResult, 'relus' | 'parameters'>

/** How many epochs of a run are done for good: those that its newest checkpoint holds. */
export async function epochsDone(runFolder: string): Promise<number> {
  return (await stateOf(runFolder))?.epoch ?? 0
}

/** Library, build and machine that a run was trained with. */
export type Environment = Readonly<Record<string, string | number>>

/** As its newest checkpoint has it. */
export async function environmentOfRun(runFolder: string): Promise<Environment> {
  return (await stateOf(runFolder))?.environment ?? {}
}

async function stateOf(runFolder: string): Promise<Pick<CheckpointRecord, 'epoch' | 'environment'> | undefined> {
  const text = await readFile(join(runFolder, 'last', 'state.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as CheckpointRecord)
}

/** What of the environment some runs have otherwise than others: each value with the names of its runs. */
export type MixedEnvironment = Readonly<
  Record<string, readonly { readonly value: string | number; readonly runs: readonly string[] }[]>
>

/** What all runs have in common, and what not; by the names of the runs. */
export function compareEnvironments(byRun: ReadonlyMap<string, Environment>): {
  environment: Environment
  mixed: MixedEnvironment
} {
  const environment: Record<string, string | number> = {}
  const mixed: Record<string, MixedEnvironment[string]> = {}
  for (const name of new Set([...byRun.values()].flatMap(Object.keys))) {
    const runsOf = new Map<string | number, string[]>()
    for (const [run, { [name]: value = 'unknown' }] of byRun) runsOf.set(value, [...(runsOf.get(value) ?? []), run])
    const values = Array.from(runsOf, ([value, runs]) => ({ value, runs }))
    if (values.length === 1) environment[name] = values[0]!.value
    else mixed[name] = values
  }
  return { environment, mixed }
}

/** The epochs that a run has in its log. */
export const epochRows = async (runFolder: string): Promise<EpochRow[]> =>
  epochsIn(await readFile(join(runFolder, 'summary.csv'), 'utf8'))

/** The arms with what their finished runs gave. */
export function armResults(
  arms: readonly Arm[],
  facts: ReadonlyMap<Arm, ArmFacts>,
  finished: ReadonlyMap<Run, Omit<RunResult, 'seed'>>,
): ArmResult[] {
  const runsOf = (arm: Arm): RunResult[] =>
    [...finished].filter(([run]) => run.arm.id === arm.id).map(([{ seed }, result]) => ({ seed, ...result }))
  return arms.map(arm => {
    const runs = runsOf(arm)
    const baseline = arms.find(other => other.model === arm.model && isBaseline(other))
    const pairs = baseline && baseline !== arm ? pairsOf(runs, runsOf(baseline)) : []
    return {
      ...arm,
      ...facts.get(arm)!,
      runs,
      final: each(quantity =>
        summary(
          runs.map(run => lastOf(run, quantity)),
          meanAndDeviation,
        ),
      ),
      difference: each(quantity =>
        summary(
          pairs.map(([own, other]) => lastOf(own, quantity) - lastOf(other, quantity)),
          pairedDifference,
        ),
      ),
    }
  })
}

/** Runs of the same seed. */
const pairsOf = (runs: readonly RunResult[], others: readonly RunResult[]) =>
  runs.flatMap(run => others.filter(({ seed }) => seed === run.seed).map(other => [run, other] as const))

/** After the last epoch; NaN where it was not measured. */
const lastOf = ({ epochs }: RunResult, quantity: Quantity): number => epochs.at(-1)?.[quantity] ?? NaN

const summary = <T>(values: readonly number[], of: (values: readonly number[]) => T): T | undefined =>
  values.length > 0 && values.every(value => Number.isFinite(value)) ? of(values) : undefined

const each = <T>(of: (quantity: Quantity) => T | undefined): Partial<Record<Quantity, T>> =>
  Object.fromEntries(quantities.map(quantity => [quantity, of(quantity)] as const).filter(([, value]) => value !== undefined))
