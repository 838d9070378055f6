/** A training with a run folder: resumes, keeps logs, and writes checkpoints. */
import { Disposed, NotFinite, OutputError } from '../runtime/errors.js'
import type { TrainingState } from './checkpoint.js'
import { CheckpointFolder } from './checkpoint_folder.js'
import type { CheckpointEvent, ResumeEvent, TrainingEvent } from './events.js'
import { findCheckpoint, type Found } from './find_checkpoint.js'
import { openFolder, RunFolder } from './run_folder.js'
import { lock } from './run_lock.js'
import type { EngineChoices } from '../runtime/policy.js'
import type { KeptEngines } from './kept_engines.js'
import type { FitOptions } from './trainer.js'
import type { TrainingDescription } from './training_description.js'

/** What this needs of a trainer. */
export interface ResumableTraining {
  readonly description: TrainingDescription
  /** The engines that were chosen under autotune. */
  readonly choices: EngineChoices
  /** Steps and full epochs done. */
  position(): { step: number; epoch: number }
  /** Everything that decides how the training goes on; between two steps. */
  capture(): Promise<TrainingState>
  restore(state: TrainingState): Promise<void>
  /** Trains on from where it stands. */
  events(signal: AbortSignal | undefined): AsyncGenerator<TrainingEvent, void>
}

/** What it is asked: FitOptions, with a folder; and the engines of the run that is resumed. */
export type FolderOptions = Omit<FitOptions, 'outputDir' | 'signal'> & {
  outputDir: string
  signal: AbortSignal | undefined
  kept: KeptEngines | undefined
}

export async function* fitInFolder(training: ResumableTraining, options: FolderOptions): AsyncGenerator<TrainingEvent, void> {
  const { outputDir } = options
  await openFolder(outputDir)
  const release = await lock(outputDir)
  try {
    yield* fitInLockedFolder(training, options)
  } finally {
    await release()
  }
}

async function* fitInLockedFolder(
  training: ResumableTraining,
  { outputDir, resume = false, checkpointSeconds = 60, keepCheckpoints = 3, settings, signal, kept }: FolderOptions,
): AsyncGenerator<TrainingEvent, void> {
  const { description, choices } = training
  const found = await findCheckpoint(outputDir, resume, description)
  if (found.taken) await training.restore(found.taken.state)
  const moved = await moveAside(new CheckpointFolder(outputDir), found)
  const isTuned = Object.keys(choices).length > 0
  const engines = isTuned ? { ...kept?.engines, ...choices } : undefined
  const notes = [...found.notes, ...(isTuned && found.taken && kept ? kept.notes : []), ...moved]
  const run = await RunFolder.open(outputDir, description, { keepCheckpoints, settings, engines }, found.taken)
  let outcome: Outcome = 'left'
  try {
    if (resume !== false) yield resumeEvent(training, found, [...notes, ...run.notes])
    for await (const event of training.events(signal)) {
      await run.add(event)
      yield event
      // After the last step of an epoch, evaluation and the epoch's own checkpoint follow.
      const inEpoch = event.type === 'step' && event.stepInEpoch < event.stepsPerEpoch
      const reason = event.type === 'epoch' ? 'epoch' : inEpoch && run.due(checkpointSeconds) ? 'time' : undefined
      const checkpoint = reason && (await run.checkpoint(await training.capture(), reason))
      if (checkpoint) yield checkpoint
    }
    outcome = 'completed'
  } catch (error) {
    outcome = 'failed'
    const stopped = signal?.aborted === true
    const reason = stopped ? 'stopped' : error instanceof NotFinite ? 'not finite' : 'failed'
    // Where writing failed there is nothing more to try.
    const saved = error instanceof OutputError ? undefined : await save(run, training, reason)
    if (saved && !(saved instanceof OutputError)) yield saved
    throw explained(error, stopped, saved, run)
  } finally {
    await close(run, training, outcome)
  }
}

type Outcome = 'left' | 'completed' | 'failed'

/** Writes what is left; a checkpoint too where the caller left the loop. After a failure, another one is not told. */
async function close(run: RunFolder, training: ResumableTraining, outcome: Outcome): Promise<void> {
  try {
    const saved = outcome === 'left' ? await save(run, training, 'stopped') : undefined
    if (saved instanceof OutputError) throw explained(saved, true, saved, run)
  } finally {
    await run.close().catch((error: unknown) => {
      if (outcome !== 'failed') throw error
    })
  }
}

/** The last good state as a checkpoint, or why it could not be written. */
async function save(run: RunFolder, training: ResumableTraining, reason: CheckpointEvent['reason']) {
  try {
    return await run.checkpoint(await training.capture(), reason)
  } catch (error) {
    if (error instanceof OutputError) return error
    // Disposed of in the loop: there is nothing left to save.
    if (error instanceof Disposed) return undefined
    throw error
  }
}

/** The error with what the reader needs to know of the checkpoints. */
function explained(error: unknown, stopped: boolean, saved: CheckpointEvent | OutputError | undefined, run: RunFolder): unknown {
  const { lastCheckpoint } = run
  const last = lastCheckpoint === undefined ? 'There is no checkpoint yet.' : `The last good checkpoint is ${lastCheckpoint}.`
  if (error instanceof NotFinite)
    return new NotFinite(`${error.message} ${saved instanceof OutputError ? `${saved.message}. ` : ''}${last}`, { cause: error })
  const failure = error instanceof OutputError ? error : stopped && saved instanceof OutputError ? saved : undefined
  if (!failure) return error
  const remedy = lastCheckpoint === undefined ? last : `${lastCheckpoint} is complete: make room or permission, then resume.`
  return new OutputError(`${failure.message}. ${remedy}`, { cause: failure })
}

function resumeEvent(training: ResumableTraining, { taken, changedSettings }: Found, notes: readonly string[]): ResumeEvent {
  return { type: 'resume', ...training.position(), checkpoint: taken?.folder, notes, changedSettings }
}

/** Renames what is in the way, the newest first: what is left is then always a run up to some step. */
async function moveAside(own: CheckpointFolder, { inTheWay }: Found): Promise<string[]> {
  const notes: string[] = []
  for (const { step, why } of inTheWay)
    notes.push(`${own.path(step)} is ${why} and was moved to ${await own.setAside(step, why)}`)
  return notes
}
