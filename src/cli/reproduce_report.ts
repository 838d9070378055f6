/** Puts a study's report together from its run folders. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { inMemory } from './centre_crops.js'
import { sizesOf } from './data_set.js'
import { loadWeights } from '../interop/index.js'
import { makeFolder, writeFileWhole } from '../runtime/durable_files.js'
import { htmlOf, markdownOf } from '../study/document.js'
import { figuresOf, type Figure } from '../study/figures.js'
import { activeShares, gradientNorms, layerBatches } from '../study/layers.js'
import type { Run } from '../study/matrix.js'
import { reportOf, type StudyResults } from '../study/report.js'
import {
  armResults,
  compareEnvironments,
  environmentOfRun,
  epochRows,
  epochsDone,
  type Environment,
  type RunLayers,
  type RunResult,
} from '../study/results.js'
import { plainStudy, runSettings, studyFile } from './reproduce_config.js'
import { failureFile, runFolder, type Study } from './reproduce_study.js'
import { renderTable, unicodeOut } from './table.js'
import { modelOf } from './train_setup.js'
import { openTrained } from './trained_model.js'

const layersFile = ({ folder }: Study, { name }: Run) => join(folder, 'layers', `${name}.json`)

/** Looks into the network of a finished run, once. */
export async function measureRun(study: Study, run: Run): Promise<RunLayers> {
  const file = layersFile(study, run)
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known !== undefined) return JSON.parse(known) as RunLayers
  const { definition, folder } = study
  const settings = runSettings(definition, run)
  const options = { batchSize: settings['batch-size'], device: settings.device }
  const data = 'kind' in study.data ? await inMemory(study.data, layerBatches * options.batchSize) : study.data
  const { model } = await openTrained(runFolder(folder, run), { which: 'last', ema: false })
  const initial = modelOf(settings, data)
  if (settings.weights !== undefined) await loadWeights(initial, settings.weights, { strict: false })
  const layers = {
    gradientsBefore: await gradientNorms(initial, data, options),
    gradientsAfter: await gradientNorms(model, data, options),
    active: await activeShares(model, data, options),
  }
  await makeFolder(join(folder, 'layers'))
  await writeFileWhole(file, `${JSON.stringify(layers)}\n`)
  return layers
}

/** Writes results.json, report.md, report.html and the figures, where a run is finished; `text`: the tables for a terminal. */
export async function writeStudyReport(study: Study): Promise<{ results: StudyResults; text: string }> {
  const { folder, definition, data, arms, facts, runs } = study
  const finished = new Map<Run, Omit<RunResult, 'seed'>>()
  const environments = new Map<string, Environment>()
  const failedRuns: string[] = []
  for (const run of runs) {
    const epochs = await epochsDone(runFolder(folder, run))
    if (epochs < runSettings(definition, run).epochs) {
      if (existsSync(failureFile(folder, run.name))) failedRuns.push(run.name)
      continue
    }
    environments.set(run.name, await environmentOfRun(runFolder(folder, run)))
    finished.set(run, { epochs: await epochRows(runFolder(folder, run)), layers: await measureRun(study, run) })
  }
  const { settings } = plainStudy(definition) as { settings: Record<string, unknown> }
  const { environment, mixed } = compareEnvironments(environments)
  // The bytes depend on the threads of a run.
  const threads = environment.threads === undefined ? '' : ` --threads ${environment.threads}`
  const results: StudyResults = {
    command: `eraserelu reproduce --config ${join(folder, studyFile)}${threads} --output-dir runs/again`,
    dataset: { name: data.name, ...sizesOf(data) },
    seeds: definition.seeds,
    settings,
    finishedRuns: finished.size,
    allRuns: runs.length,
    failedRuns,
    arms: armResults(arms, facts, finished),
    environment,
    mixed,
  }
  if (finished.size === 0) return { results, text: '' }
  const figures = new Map<string, Figure[]>()
  for (const model of new Set(arms.map(arm => arm.model))) {
    const own = results.arms.filter(arm => arm.model === model)
    figures.set(model, await figuresOf(model, own, data.name))
  }
  const parts = reportOf(results, figures, stringify(plainStudy(definition)))
  await makeFolder(join(folder, 'figures'))
  for (const { file, svg } of [...figures.values()].flat()) await writeFileWhole(join(folder, 'figures', file), svg)
  await writeFileWhole(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await writeFileWhole(join(folder, 'report.html'), htmlOf(parts))
  await writeFileWhole(join(folder, 'report.md'), markdownOf(parts))
  const shown = parts.flatMap(part => {
    if ('table' in part) return [renderTable(part.table, { unicode: unicodeOut() })]
    return 'heading' in part && figures.has(part.heading) ? [part.heading] : []
  })
  return { results, text: shown.join('\n') }
}
