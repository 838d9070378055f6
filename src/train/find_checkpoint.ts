/** Which checkpoint a training goes on from, and what is in its way. Changes nothing but what a killed process left unfinished. */
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { readCheckpoint, type Checkpoint } from './checkpoint.js'
import { CheckpointFolder } from './checkpoint_folder.js'
import { openFolder } from './run_folder.js'
import { changedSettings, moves, type TrainingDescription } from './training_description.js'

export interface Found {
  /** Undefined: the training starts afresh. */
  readonly taken: Checkpoint | undefined
  readonly notes: readonly string[]
  readonly changedSettings: readonly string[]
  /** Checkpoints of the output folder that are in the way. */
  readonly inTheWay: readonly { readonly step: number; readonly why: 'damaged' | 'superseded' }[]
}

/** Throws InvalidArgument where the output folder or the checkpoint cannot be used; nothing was changed then. */
export async function findCheckpoint(outputDir: string, resume: boolean | string, training: TrainingDescription): Promise<Found> {
  const content = await openFolder(outputDir)
  const own = new CheckpointFolder(outputDir)
  const source = typeof resume === 'string' ? await sourceOf(resume) : own
  const isOwn = source instanceof CheckpointFolder ? await own.is(source.folder) : await own.holds(source)
  if (content === 'a run' && (resume === false || !(isOwn || source === own)))
    throw new InvalidArgument(
      `the output folder ${outputDir} holds a run; nothing was changed. Resume it (resume: true, --resume), or give a new or an empty folder.`,
    )
  if (resume === false) return { taken: undefined, notes: [], changedSettings: [], inTheWay: [] }
  await own.tidy()
  if (source instanceof CheckpointFolder && (await source.steps()).length === 0) {
    await refuseToForget(outputDir)
    const notes = [`${outputDir} has no checkpoint: the training starts afresh`]
    return { taken: undefined, notes, changedSettings: [], inTheWay: [] }
  }
  const { found, damaged, notes } =
    source instanceof CheckpointFolder
      ? await source.newest(folder => read(folder, training))
      : { found: await read(source, training), damaged: [], notes: [] }
  if (!found)
    throw new InvalidArgument(`${typeof resume === 'string' ? resume : outputDir} has no usable checkpoint. ${notes.join('. ')}`)
  const later = isOwn ? (await own.steps()).filter(step => step > found.state.step).reverse() : []
  const inTheWay = later.map(step => ({ step, why: damaged.includes(step) ? ('damaged' as const) : ('superseded' as const) }))
  return {
    taken: found,
    notes: [...notes, ...moves(training, found.record)],
    changedSettings: changedSettings(training, found.record),
    inTheWay,
  }
}

/** Starting afresh empties the logs: not those of epochs whose checkpoints someone has removed. */
async function refuseToForget(outputDir: string): Promise<void> {
  const file = join(outputDir, 'summary.csv')
  const lines = (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n')
  // A killed process may have written the line of the first epoch, but not yet its checkpoint.
  if (lines.length > 2)
    throw new InvalidArgument(
      `${outputDir} has no checkpoint to go on from, but ${file} tells of ${lines.length - 1} epochs; nothing was changed. Give another folder.`,
    )
}

/** A checkpoint, or the checkpoints of a run folder. */
async function sourceOf(path: string): Promise<string | CheckpointFolder> {
  if (await exists(join(path, 'state.json'))) return path
  if (await exists(join(path, 'checkpoints'))) return new CheckpointFolder(path)
  throw new InvalidArgument(`${path} is neither a checkpoint (it has no state.json) nor a run folder (it has no checkpoints/)`)
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/** Reads a checkpoint that this training can go on from. */
async function read(folder: string, { layout, arenaSizes, stepsPerEpoch }: TrainingDescription): Promise<Checkpoint> {
  const checkpoint = await readCheckpoint(folder, layout, arenaSizes)
  const { stepsPerEpoch: before, settings } = checkpoint.record
  if (before === stepsPerEpoch) return checkpoint
  throw new InvalidArgument(
    `${folder} does not fit this training: an epoch had ${before} steps, now it has ${stepsPerEpoch}. ` +
      `Use the same data (${settings.data}), batchSize (${settings.batchSize}) and accumulate (${settings.accumulate}).`,
  )
}
