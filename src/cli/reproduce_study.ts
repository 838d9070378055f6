/** A study that is known to be possible, and where its parts lie in the study folder. */
import { join } from 'node:path'
import type { DataSource, ImageFileSource } from '../data/index.js'
import { armsOf, runsOf, type Arm, type Run } from '../study/matrix.js'
import type { ArmFacts } from '../study/results.js'
import { reluCounts } from './model_of.js'
import { settingsOf, type StudyDefinition } from './reproduce_config.js'
import { checkNames, modelOf, trainingDataOf } from './train_setup.js'

export interface Study {
  readonly folder: string
  readonly definition: StudyDefinition
  readonly data: DataSource | ImageFileSource
  readonly arms: readonly Arm[]
  readonly facts: ReadonlyMap<Arm, ArmFacts>
  readonly runs: readonly Run[]
}

export const runFolder = (folder: string, { name }: Run): string => join(folder, 'runs', name)

/** Why a run failed; not there while it may still end well. */
export const failureFile = (folder: string, run: string): string => join(folder, 'logs', `${run}.failed`)

/** Finds what is wrong with any of the trainings before the first begins. */
export async function checkedStudy(definition: StudyDefinition, folder: string): Promise<Study> {
  const arms = armsOf(definition.matrix)
  const seed = definition.seeds[0]!
  for (const arm of arms) checkNames(settingsOf(definition, arm, seed))
  const data = await trainingDataOf(settingsOf(definition, arms[0]!, seed))
  const facts = new Map<Arm, ArmFacts>()
  for (const arm of arms) {
    const model = modelOf(settingsOf(definition, arm, seed), data)
    facts.set(arm, { relus: reluCounts(model), parameters: model.parameterCount() })
  }
  return { folder, definition, data, arms, facts, runs: runsOf(arms, definition.seeds) }
}
