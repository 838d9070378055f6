/** What `eraserelu reproduce` does; loaded only when it runs. */
import { existsSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { makeFolder, writeFileWhole } from '../runtime/durable_files.js'
import { InvalidArgument } from '../runtime/errors.js'
import { armTitle } from '../study/matrix.js'
import { epochsDone } from '../study/results.js'
import { lock } from '../train/run_lock.js'
import { interruptible } from './interrupt.js'
import { printResult } from './json.js'
import type { ReproduceFlags } from './reproduce.js'
import { trainAll, type ChildRun } from './reproduce_children.js'
import { checkSameStudy, plainStudy, runSettings, studyFile, studyOf } from './reproduce_config.js'
import { measureRun, writeStudyReport } from './reproduce_report.js'
import { checkedStudy, failureFile, runFolder, type Study } from './reproduce_study.js'
import { clock, measureTime, together, type TrainingTime } from './reproduce_time.js'
import { renderTable, unicodeOut } from './table.js'
import { plainSettings } from './train_config.js'
import type { GivenSettings } from './train_settings.js'

/** What `--plan --json` prints. */
export interface Plan {
  readonly runs: readonly {
    readonly name: string
    readonly epochs: number
    readonly epochsDone: number
    readonly seconds: number
  }[]
  readonly jobs: number
  readonly threads: number
  /** Of all runs, one after the other, and with `jobs` of them at a time. */
  readonly machineSeconds: number
  readonly seconds: number
}

export async function reproduce(settings: GivenSettings, flags: ReproduceFlags): Promise<void> {
  const { jobs, outputDir: folder, json = false } = flags
  const threads =
    flags.threads ??
    (Number.parseInt(process.env.OMP_NUM_THREADS ?? '') || Math.max(1, Math.floor(availableParallelism() / jobs)))
  // OpenMP reads it when the addon is loaded, which the first look at the devices does.
  process.env.OMP_NUM_THREADS = String(threads)
  const definition = await studyOf(settings, flags)
  const there = existsSync(join(folder, studyFile))
  if (there) await checkSameStudy(folder, definition)
  else if (existsSync(folder) && (await readdir(folder)).length > 0)
    throw new InvalidArgument(`${folder} is not empty and holds no study; nothing was changed. Give --output-dir a new folder.`)
  const study = await checkedStudy(definition, folder)
  const say = (line: string) => void (json ? process.stderr : process.stdout).write(`${line}\n`)
  if (flags.reportOnly) return report(study, flags, say)
  const plan = await planOf(study, jobs, threads, say)
  if (flags.plan) return printResult(plan, flags, planText)
  say(planText(plan))
  await makeFolder(folder)
  const release = await lock(folder)
  try {
    await train(study, plan, flags, say)
  } finally {
    await release()
  }
}

async function planOf(study: Study, jobs: number, threads: number, say: (line: string) => void): Promise<Plan> {
  const { folder, definition, data, runs } = study
  const times = new Map<string, TrainingTime>()
  const planned: Plan['runs'][number][] = []
  for (const run of runs) {
    const settings = runSettings(definition, run)
    const { epochs } = settings
    const done = Math.min(epochs, await epochsDone(runFolder(folder, run)))
    let time = times.get(run.arm.id)
    if (!time && done < epochs) {
      say(`Measuring a few steps of ${run.arm.model}, ${armTitle(run.arm)} …`)
      time = await measureTime(settings, data)
      times.set(run.arm.id, time)
    }
    const seconds = done === epochs ? 0 : time!.start + time!.epoch * (epochs - done)
    planned.push({ name: run.name, epochs, epochsDone: done, seconds })
  }
  const seconds = planned.map(each => each.seconds)
  const machineSeconds = seconds.reduce((a, b) => a + b, 0)
  return { runs: planned, jobs, threads, machineSeconds, seconds: together(seconds, jobs) }
}

function planText({ runs, jobs, threads, seconds }: Plan): string {
  const rows = runs.map(run => [
    run.name,
    `${run.epochsDone} of ${run.epochs}`,
    run.epochsDone === run.epochs ? 'finished' : clock(run.seconds),
  ])
  const table = renderTable([['Run', 'Epochs done', 'Time left'], ...rows], { unicode: unicodeOut() })
  const beside = jobs === 1 ? 'one after the other' : `${jobs} at a time`
  return `${table}\n${runs.length} runs, ${beside}, threads: ${threads}. Estimated time left, if nothing else is running: ${clock(seconds)}`
}

async function train(study: Study, plan: Plan, flags: ReproduceFlags, say: (line: string) => void): Promise<void> {
  const { folder, definition, runs } = study
  for (const name of ['configs', 'logs', 'layers']) await makeFolder(join(folder, name))
  await writeFileWhole(join(folder, studyFile), stringify(plainStudy(definition)))
  const byName = new Map(runs.map(run => [run.name, run]))
  const children: ChildRun[] = []
  for (const [i, run] of runs.entries()) {
    const { epochs, epochsDone: done } = plan.runs[i]!
    if (done === epochs) continue
    const child = {
      name: run.name,
      config: join(folder, 'configs', `${run.name}.yaml`),
      folder: runFolder(folder, run),
      log: join(folder, 'logs', `${run.name}.log`),
    }
    await writeFileWhole(child.config, stringify(plainSettings(runSettings(definition, run))))
    children.push(child)
  }
  let failed = 0
  const begun = performance.now()
  let finished = runs.length - children.length
  let estimatedDone = 0
  const secondsOf = new Map(plan.runs.map(({ name, seconds }) => [name, seconds]))
  const ended = async ({ name, log }: ChildRun, failure: string | undefined) => {
    estimatedDone += secondsOf.get(name)!
    if (failure === undefined) await measureRun(study, byName.get(name)!)
    else {
      failed++
      await writeFileWhole(failureFile(folder, name), `${failure}\n`)
    }
    finished++
    const left = (((performance.now() - begun) / 1000) * (plan.machineSeconds - estimatedDone)) / estimatedDone
    const time = finished === runs.length ? '' : `; about ${clock(left)} left`
    say(failure === undefined ? `${name}: done, ${finished} of ${runs.length}${time}` : `${name}: failed: ${failure} (${log})`)
  }
  try {
    await interruptible(
      () => say('Stopping: the trainings write checkpoints. Ctrl-C again quits at once.'),
      signal =>
        trainAll(children, {
          jobs: flags.jobs,
          threads: plan.threads,
          signal,
          started: ({ name }) => {
            rmSync(failureFile(folder, name), { force: true })
            say(`${name}: training`)
          },
          line: ({ name }, line) => {
            const epoch = /, (epoch [\d/]+: .*)$/.exec(line)?.[1]
            if (epoch !== undefined) say(`${name}: ${epoch}`)
          },
          ended,
        }),
    )
  } catch (error) {
    // Stopped by a signal, which has set the exit code.
    if (process.exitCode === undefined) throw error
    say(`To go on: eraserelu reproduce --output-dir ${folder}`)
  }
  await report(study, flags, say)
  if (failed > 0 && process.exitCode === undefined) process.exitCode = 1
}

async function report(study: Study, flags: ReproduceFlags, say: (line: string) => void): Promise<void> {
  const { results, text } = await writeStudyReport(study)
  if (results.finishedRuns === 0) return say('No run is finished yet: there is nothing to report.')
  printResult(results, flags, () => text)
  say(`Report: ${join(study.folder, 'report.md')}, ${join(study.folder, 'report.html')}`)
}
