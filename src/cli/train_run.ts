/** What `eraserelu train` does; loaded only when it runs. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadWeights } from '../interop/index.js'
import type { Classifier } from '../models/index.js'
import { InvalidArgument } from '../runtime/errors.js'
import type { EndEvent } from '../train/events.js'
import { lowMemoryText } from '../train/low_memory.js'
import { progressOn } from '../train/progress.js'
import { Trainer } from '../train/trainer.js'
import { engineOptionsOf } from './engine_options.js'
import { eraseKeys } from './erase_options.js'
import { measure, measuredText } from './eval_run.js'
import { interruptible } from './interrupt.js'
import { reluCounts } from './model_of.js'
import { renderTable, unicodeOut } from './table.js'
import type { TrainOptions } from './train.js'
import { plainSettings } from './train_config.js'
import { planOf, type TrainPlan } from './train_plan.js'
import { checkNames, modelOf, trainerOptionsOf, trainingDataOf } from './train_setup.js'
import type { GivenSettings } from './train_settings.js'
import { openTrained } from './trained_model.js'

const { stdout } = process
const say = (line: string) => void stdout.write(`${line}\n`)

export async function train(flags: GivenSettings, options: TrainOptions): Promise<void> {
  const plan = await planOf(flags, options)
  const { settings, outputDir } = plan
  checkNames(settings)
  if (options.testOnly) return testOnly(plan)
  const data = await trainingDataOf(settings)
  const model = modelOf(settings, data)
  if (settings.weights !== undefined && !hasCheckpoint(plan)) await startFrom(settings.weights, model)
  await using trainer = new Trainer(model, trainerOptionsOf(settings, data))
  if (settings.mixup + settings.cutmix > 0)
    say('Training images are mixed: the accuracy of a training step counts the label with the larger share. Test images are not.')
  const end = await fit(trainer, plan)
  if (end) {
    say(renderTable(await resultOf(trainer, end, model), { unicode: unicodeOut() }))
    const { low } = await trainer.memory()
    if (low) say(lowMemoryText(low))
  }
  if (end?.imagesPerSecond === 0)
    say(`Epochs done before: all ${settings.epochs}; nothing was trained. To train on, give more --epochs.`)
  const picture = join(outputDir, 'curves.png')
  say(`Results${end ? '' : ' (stopped early)'}: ${outputDir}${existsSync(picture) ? `, curves: ${picture}` : ''}`)
  if (!end) say(`To go on: eraserelu train --output-dir ${outputDir} --resume`)
}

/** Whether the training goes on from a checkpoint, whose weights count instead of those it once started from. */
const hasCheckpoint = ({ resume, outputDir }: TrainPlan) =>
  typeof resume === 'string' || (resume && existsSync(join(outputDir, 'last')))

/** Loads what fits, such as all but the last layer where the classes are others, and says what did not. */
async function startFrom(file: string, model: Classifier): Promise<void> {
  const report = await loadWeights(model, file, { strict: false })
  if (report.loaded.length < report.missing.length + report.mismatched.length)
    throw new InvalidArgument(
      `train: --weights is not of this network: most of it would keep its initial weights.\n${report.toString()}`,
    )
  say(report.toString())
}

/** Trains to the end; undefined when it was stopped before. */
async function fit(trainer: Trainer, { settings, outputDir, resume, changes }: TrainPlan): Promise<EndEvent | undefined> {
  const progress = progressOn(stdout, { trainings: 1, epochs: settings.epochs })
  const run = {
    outputDir,
    resume,
    checkpointSeconds: settings['checkpoint-seconds'],
    keepCheckpoints: settings['keep-checkpoints'],
    settings: plainSettings(settings),
  }
  return interruptible(
    () => progress.say('Stopping: a checkpoint is being written. Ctrl-C again quits at once.'),
    async signal => {
      let end: EndEvent | undefined
      try {
        progress.begin(settings.model, trainer.stepsPerEpoch)
        for await (const event of trainer.fit({ ...run, signal })) {
          // What the flags say differs, rather than what they make of the trainer's options.
          progress.event(event.type === 'resume' && changes.length > 0 ? { ...event, changedSettings: changes } : event)
          if (event.type === 'end') end = event
        }
      } catch (error) {
        if (error !== signal.reason) throw error
      } finally {
        progress.end()
      }
      return end
    },
  )
}

/** The final table. A training that was complete already ends without measuring: that is done here. */
async function resultOf(trainer: Trainer, end: EndEvent, model: Classifier): Promise<string[][]> {
  const relus = reluCounts(model)
  const { loss, accuracy } = end.test ?? (await trainer.evaluate())
  const { planned } = await trainer.memory()
  return [
    ['', model.modelName],
    ['Test accuracy', accuracy === undefined ? '-' : `${(100 * accuracy).toFixed(2)} %`],
    ['Test loss', loss.toFixed(4)],
    ['Epochs', `${end.epochs}`],
    ['ReLUs kept', `${relus.kept}`],
    ['ReLUs erased', `${relus.erased}`],
    ['Training, images/s', end.imagesPerSecond === 0 ? '-' : end.imagesPerSecond.toFixed(0)],
    ['Seconds', end.seconds.toFixed(1)],
    ['Planned memory', `${(planned / 1e6).toFixed(0)} MB`],
  ]
}

const networkKeys = ['model', 'model-kwargs', 'weights', ...eraseKeys]

/** Measures what `--resume` or `--weights` names, on the data set of the settings. */
async function testOnly({ settings, outputDir, resume, changes }: TrainPlan): Promise<void> {
  const { weights, device, precision } = settings
  const batchSize = settings['eval-batch-size'] ?? settings['batch-size']
  const how = { batchSize, device, precision, ...engineOptionsOf(settings) }
  if (resume === false && weights === undefined)
    throw new InvalidArgument('train: --test-only needs what to measure: --resume CHECKPOINT or --weights FILE')
  const other = changes.find(change => networkKeys.some(key => change.startsWith(`${key}: `)))
  if (other !== undefined)
    throw new InvalidArgument(
      `train: --resume with --test-only measures the network as it was trained, not with ${other}. For another network with its ` +
        'weights, leave --resume out: --weights FILE --test-only',
    )
  const data = await trainingDataOf(settings)
  if (resume !== false) {
    const trained = await openTrained(typeof resume === 'string' ? resume : outputDir, { which: 'last' })
    say(measuredText(await measure(trained, trained.normalised(data), how)))
  } else if (weights !== undefined) {
    const model = modelOf(settings, data)
    await loadWeights(model, weights)
    say(measuredText(await measure({ model, file: weights, averaged: false }, data, how)))
  }
}
