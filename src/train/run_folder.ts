/**
 * The run folder: what one training leaves on the disk.
 *
 *   args.yaml                     every setting
 *   engines.json                  kept_engines.ts
 *   metrics.jsonl, summary.csv,   run_logs.ts
 *   timing.jsonl
 *   checkpoints/step-N/           checkpoint.ts
 *   last, best                    links to checkpoints
 *   curves.svg, curves.png        loss and accuracy over the epochs
 *   events.out.tfevents.*         the same numbers for TensorBoard
 */
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { stringify } from 'yaml'
import { makeFolder, writeFileWhole, writing } from '../runtime/durable_files.js'
import { InvalidArgument } from '../runtime/errors.js'
import type { EngineChoices } from '../runtime/policy.js'
import { svgToPng } from './chart.js'
import { writeCheckpoint, type Checkpoint, type TrainingState } from './checkpoint.js'
import { CheckpointFolder } from './checkpoint_folder.js'
import { enginesName, writeEngines } from './kept_engines.js'
import type { CheckpointEvent, EpochEvent, Evaluation, TrainingEvent } from './events.js'
import { modelMetadata } from './model_metadata.js'
import { drawRunCurves } from './run_curves.js'
import { lockName } from './run_lock.js'
import { logNames, RunLogs } from './run_logs.js'
import { EventFile } from './tensorboard.js'
import { environmentOf, type TrainingDescription } from './training_description.js'

/** Drawing takes part of a second: not more often than this, and at the end. */
const drawMilliseconds = 30_000

const ownNames = new Set<string>([
  ...logNames,
  'args.yaml',
  enginesName,
  'checkpoints',
  'last',
  'best',
  'curves.svg',
  'curves.png',
])
/** The lock, and what a process leaves that is killed while it takes it. */
const isLock = (name: string) => name.startsWith(lockName)
const isOwn = (name: string) =>
  ownNames.has(name.replace(/\.new$/, '')) || isLock(name) || name.startsWith('events.out.tfevents.')

/** Makes the folder where there is none, and says whether a run can start or be resumed there. Throws where other files are there. */
export async function openFolder(folder: string): Promise<'empty' | 'a run'> {
  const names = await writing(folder, async () => {
    await makeFolder(folder)
    return readdir(folder)
  })
  if ((await new CheckpointFolder(folder).steps()).length > 0) return 'a run'
  const foreign = names.find(name => !isOwn(name))
  if (foreign !== undefined)
    throw new InvalidArgument(
      `the output folder ${folder} holds other files, such as ${foreign}; nothing was changed. Give a new or an empty folder.`,
    )
  // A killed process may have left these before anything else.
  return names.every(name => isLock(name) || ['checkpoints', enginesName].includes(name)) ? 'empty' : 'a run'
}

export interface RunFolderOptions {
  readonly keepCheckpoints: number
  readonly settings: Readonly<Record<string, unknown>> | undefined
  /** Those that were chosen under autotune. */
  readonly engines: EngineChoices | undefined
}

export class RunFolder {
  /** Where the newest checkpoint stands; undefined before the first. */
  private saved: { readonly step: number; readonly epoch: number; readonly at: number } | undefined
  private best: { readonly step: number; readonly score: number } | undefined
  private drawn = performance.now()

  private constructor(
    private readonly folder: string,
    private readonly checkpoints: CheckpointFolder,
    private readonly training: TrainingDescription,
    private readonly environment: Readonly<Record<string, string | number>>,
    private readonly options: RunFolderOptions,
    private readonly logs: RunLogs,
    private readonly events: EventFile,
    private readonly opened = performance.now(),
  ) {}

  /** Opens the folder, which must be there: with the logs cut to where the checkpoint stands, or emptied. */
  static async open(
    folder: string,
    training: TrainingDescription,
    options: RunFolderOptions,
    taken: Checkpoint | undefined,
  ): Promise<RunFolder> {
    const checkpoints = new CheckpointFolder(folder)
    // Before there is a checkpoint that could be resumed.
    if (options.engines) await writeEngines(folder, options.engines)
    const environment = environmentOf(training)
    let from = taken && { ...taken.record, folder: taken.folder }
    if (taken && !(await checkpoints.holds(taken.folder))) {
      // Before anything else, so that this run can be resumed as soon as there is anything of it.
      const { stepsPerEpoch, settings } = training
      const record = { stepsPerEpoch, best: null, logs: {}, settings, environment }
      const metadata = modelMetadata(training, taken.state.step)
      await writeCheckpoint(checkpoints.path(taken.state.step), taken.state, training.layout, record, metadata)
      from = { ...taken.record, ...record, folder: checkpoints.path(taken.state.step) }
    }
    const { settings } = options
    if (settings) await writeFileWhole(join(folder, 'args.yaml'), stringify(settings))
    const logs = await RunLogs.open(folder, from)
    const events = await EventFile.open(folder, from?.step ?? 0)
    const run = new RunFolder(folder, checkpoints, training, environment, options, logs, events)
    if (from) {
      const { step, epoch, best } = from
      run.saved = { step, epoch, at: performance.now() }
      run.best = best ?? undefined
      await checkpoints.link(step, best?.step)
    }
    return run
  }

  /** What is wrong with the logs, a sentence each. */
  get notes(): readonly string[] {
    return this.logs.notes
  }

  /** The newest checkpoint of this run. */
  get lastCheckpoint(): string | undefined {
    return this.saved && this.checkpoints.path(this.saved.step)
  }

  /** Takes up what a training tells; lines reach the disk within a second or so, and before every checkpoint. */
  async add(event: TrainingEvent): Promise<void> {
    if (event.type === 'epoch') this.judge(event)
    this.events.add(event)
    if (await this.logs.add(event)) await this.events.flush()
    if (event.type === 'epoch' && performance.now() - this.drawn > drawMilliseconds) await this.draw()
  }

  /** Whether so many seconds have passed since the last checkpoint. */
  due(seconds: number): boolean {
    return performance.now() - (this.saved?.at ?? this.opened) >= 1000 * seconds
  }

  /** Writes a checkpoint, unless the newest one stands at the same place. */
  async checkpoint(state: TrainingState, reason: CheckpointEvent['reason']): Promise<CheckpointEvent | undefined> {
    const { step, epoch } = state
    if (this.saved?.step === step && this.saved.epoch === epoch) return undefined
    const { checkpoints, training, environment, best, options } = this
    const { layout, stepsPerEpoch, settings } = training
    const began = performance.now()
    const logs = await this.logs.sync()
    await this.events.flush()
    const record = { stepsPerEpoch, best: best ?? null, logs, settings, environment }
    const folder = checkpoints.path(step)
    await writeCheckpoint(folder, state, layout, record, modelMetadata(training, step))
    await checkpoints.link(step, best?.step)
    this.saved = { step, epoch, at: performance.now() }
    await checkpoints.keep(options.keepCheckpoints, best?.step)
    const seconds = (performance.now() - began) / 1000
    return { type: 'checkpoint', step, epoch, checkpoint: folder, reason, best: best?.step === step, seconds }
  }

  /** Writes what is left, and the curves. */
  async close(): Promise<void> {
    try {
      await this.draw()
    } finally {
      await this.logs.close()
      await this.events.close()
    }
  }

  private judge({ step, test }: EpochEvent): void {
    const score = test && scoreOf(test)
    if (score !== undefined && Number.isFinite(score) && (this.best === undefined || score > this.best.score))
      this.best = { step, score }
  }

  private async draw(): Promise<void> {
    this.drawn = performance.now()
    const { epochs } = this.logs
    if (epochs.length === 0) return
    const { settings } = this.training
    const svg = await drawRunCurves(epochs, { title: basename(this.folder), subtitle: `${settings.data}, seed ${settings.seed}` })
    await writeFileWhole(join(this.folder, 'curves.svg'), svg)
    await writeFileWhole(join(this.folder, 'curves.png'), await svgToPng(svg))
  }
}

/** The higher, the better. */
const scoreOf = ({ accuracy, loss }: Evaluation) => accuracy ?? -loss
