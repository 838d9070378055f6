/** The definition of a study: put together from a YAML file or the study folder, and from flags; checked before anything starts. */
import { InvalidArgumentError } from 'commander'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { didYouMean } from '../runtime/suggest.js'
import type { Arm, MatrixPart, Run } from '../study/matrix.js'
import { takenPrecision } from './auto_precision.js'
import { eraseKeys } from './erase_options.js'
import { ownKeys, type ReproduceFlags } from './reproduce.js'
import { withRecipe } from './recipe_files.js'
import { checkedSettings, differences, plainSettings, readYaml } from './train_config.js'
import { withDataSet } from './training_data.js'
import { complete, defaults, type CompleteSettings, type GivenSettings, type Named } from './train_settings.js'
import { location, naturalNumber, share, text } from './values.js'

/** study.yaml */
export interface StudyDefinition {
  readonly matrix: readonly MatrixPart[]
  readonly seeds: readonly number[]
  /** What all runs share. */
  readonly settings: Named<GivenSettings>
}

/** As a file may define it, where the precision may still be open. */
export type StudyFile = Omit<StudyDefinition, 'settings'> & { readonly settings: GivenSettings }

export const studyFile = 'study.yaml'

/** Flags, then --recipe, then --config, then study.yaml of the folder, then the defaults. */
export async function studyOf(settings: GivenSettings, flags: ReproduceFlags): Promise<StudyDefinition> {
  const { config, models, locations, proportions, seeds, outputDir } = flags
  const own = join(outputDir, studyFile)
  const there = existsSync(own) ? await readStudy(own) : undefined
  const base = config === undefined ? (there ?? fallback) : await readStudy(config)
  const before = withDataSet(await withRecipe(base.settings), base.settings)
  const all = withDataSet({ ...before, ...(await withRecipe(settings)) }, settings)
  // A recipe is a network's own: that one is studied where no other is asked for.
  const studied = models ?? (base.matrix === fallback.matrix && all.model !== undefined ? [all.model] : undefined)
  const given = { ...(studied && { models: studied }), ...(locations && { locations }), ...(proportions && { proportions }) }
  const { precision: word, ...others } = shared(all)
  const how = word && { precision: word, device: all.device ?? defaults.device, before: there?.settings.precision }
  const precision = how && (await takenPrecision('reproduce', how))
  return {
    matrix: base.matrix.map(part => ({ ...part, ...given })),
    seeds: seeds ? [...new Set(seeds)] : base.seeds,
    settings: { ...others, ...(precision && { precision }) },
  }
}

/** Without what every run has its own of: a recipe also names a model. */
const shared = (settings: GivenSettings): GivenSettings =>
  Object.fromEntries(Object.entries(settings).filter(([key]) => !(ownKeys as readonly string[]).includes(key)))

const parts = { models: ['resnet20'], locations: ['last' as const], proportions: [0, 1] }
const fallback: StudyFile = { matrix: [parts], seeds: [1, 2, 3], settings: {} }

/** Throws InvalidArgument that names the file and the key. */
export async function readStudy(file: string): Promise<StudyFile> {
  const content = await readYaml(file, 'matrix, seeds and settings to their values')
  checkKeys(content, ['matrix', 'seeds', 'settings'], file)
  const { matrix = fallback.matrix, seeds = fallback.seeds, settings = {} } = content as Record<string, unknown>
  if (!Array.isArray(matrix) || matrix.length === 0)
    throw new InvalidArgument(`${file}: matrix must be a list of parts, such as '- { models: [resnet20], proportions: [0, 1] }'`)
  if (!isMapping(settings)) throw new InvalidArgument(`${file}: settings must map settings to values, such as 'epochs: 20'`)
  const taken = ownKeys.find(key => key in settings)
  if (taken !== undefined)
    throw new InvalidArgument(`${file}: settings: ${taken} differs from run to run: that is what matrix and seeds are for`)
  return {
    matrix: matrix === fallback.matrix ? fallback.matrix : matrix.map((part, i) => partOf(part, `${file}: matrix[${i}]`)),
    seeds: list(seeds, naturalNumber, `${file}: seeds`),
    settings: checkedSettings(settings, `${file}: settings`),
  }
}

function partOf(part: unknown, where: string): MatrixPart {
  if (!isMapping(part)) throw new InvalidArgument(`${where} must map models, locations and proportions to lists`)
  checkKeys(part, Object.keys(parts), where)
  const { models, locations, proportions } = { ...parts, ...part }
  return {
    models: list(models, text, `${where}.models`),
    locations: list(locations, location, `${where}.locations`),
    proportions: list(proportions, share, `${where}.proportions`),
  }
}

const isMapping = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

function checkKeys(content: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(content).find(key => !known.includes(key))
  if (unknown === undefined) return
  throw new InvalidArgument(`${where}: unknown key '${unknown}'.${didYouMean(unknown, known)} Known: ${known.join(', ')}.`)
}

/** A list, or a single value, each value once. */
function list<T>(given: unknown, parse: (text: string) => T, where: string): T[] {
  const values: unknown[] = Array.isArray(given) ? given : [given]
  if (values.length === 0) throw new InvalidArgument(`${where} is empty`)
  const parsed = values.map(value => {
    const words = typeof value === 'string' ? value : JSON.stringify(value)
    try {
      return parse(words)
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error
      throw new InvalidArgument(`${where}: ${words} is invalid. ${error.message}`, { cause: error })
    }
  })
  return [...new Set(parsed)]
}

/** The settings of a training of this arm. */
export function settingsOf(
  { settings }: StudyDefinition,
  { model, location: erase, proportion }: Arm,
  seed: number,
): CompleteSettings {
  const shared = { ...defaults, ...settings, model, seed }
  if (erase !== undefined) return complete({ ...shared, erase, 'erase-proportion': proportion })
  // How to erase is nothing that a network as published could be told.
  const untouched = Object.fromEntries(eraseKeys.map(key => [key, defaults[key]])) as Pick<
    CompleteSettings,
    (typeof eraseKeys)[number]
  >
  return complete({ ...shared, ...untouched })
}

export const runSettings = (study: StudyDefinition, { arm, seed }: Run): CompleteSettings => settingsOf(study, arm, seed)

/** The study as study.yaml holds it. */
export function plainStudy({ matrix, seeds, settings }: StudyFile): Record<string, unknown> {
  const all = plainSettings({ ...defaults, ...settings })
  const shared = Object.fromEntries(Object.entries(all).filter(([key]) => key in settings))
  return { matrix, seeds, settings: shared }
}

/** Throws where the folder holds a study with other settings; its matrix and seeds may differ. */
export async function checkSameStudy(folder: string, study: StudyDefinition): Promise<void> {
  const before = await readStudy(join(folder, studyFile))
  const changes = differences({ ...defaults, ...before.settings }, { ...defaults, ...study.settings })
  if (changes.length === 0) return
  throw new InvalidArgument(
    `${folder} holds a study with other settings (${changes.join('; ')}); nothing was changed. Give another --output-dir, or leave the settings out to go on with it.`,
  )
}
