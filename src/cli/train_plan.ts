/** What `eraserelu train` is to do: its settings, put together from all places, its run folder, and what it resumes. */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { takenPrecision } from './auto_precision.js'
import { withRecipe } from './recipe_files.js'
import type { TrainOptions } from './train.js'
import { differences, readSettings } from './train_config.js'
import { withDataSet } from './training_data.js'
import { complete, defaults, type CompleteSettings, type GivenSettings, type Settings } from './train_settings.js'

export interface TrainPlan {
  readonly settings: CompleteSettings
  readonly outputDir: string
  /** As Trainer.fit takes it. */
  readonly resume: boolean | string
  /** How the settings differ from those of the run that is resumed, a line each. */
  readonly changes: readonly string[]
}

/** Defaults, then args.yaml of the run that is resumed, then --config, then --recipe, then the other flags: what comes later counts. */
export async function planOf(given: GivenSettings, options: TrainOptions): Promise<TrainPlan> {
  const ownConfig = options.config === undefined ? {} : await readSettings(options.config)
  const config = await withRecipe(ownConfig)
  const flags = await withRecipe(given)
  const put = (before: GivenSettings) => withDataSet({ ...withDataSet({ ...before, ...config }, ownConfig), ...flags }, given)
  const resume = typeof options.resume === 'string' ? checkpointAt(options.resume) : options.resume === true
  const source = typeof resume === 'string' ? runFolderOf(resume) : undefined
  const outputDir = options.outputDir ?? source ?? folderFor({ ...defaults, ...put({}) })
  const earlier = source ?? (resume === true ? outputDir : undefined)
  const file = earlier === undefined ? undefined : join(earlier, 'args.yaml')
  const before = file !== undefined && existsSync(file) ? await readSettings(file) : {}
  const all = { ...defaults, ...put(before) }
  const precision = await takenPrecision('train', { ...all, before: before.precision })
  const settings = complete({ ...all, precision })
  return { settings, outputDir, resume, changes: differences(before, settings) }
}

function folderFor({ model, dataset, erase }: Settings): string {
  return join('runs', `${model}-${dataset}${erase === undefined ? '' : `-erase-${erase}`}`)
}

/** The path without links such as 'last'. */
function checkpointAt(path: string): string {
  if (!existsSync(path)) throw new InvalidArgument(`train: --resume ${path}: there is no such checkpoint or run folder`)
  return relative('', realpathSync(path)) || '.'
}

/** The folder itself, or the one that holds it as checkpoints/step-N. */
function runFolderOf(checkpoint: string): string | undefined {
  return [checkpoint, dirname(dirname(checkpoint))].find(folder => existsSync(join(folder, 'args.yaml')))
}
