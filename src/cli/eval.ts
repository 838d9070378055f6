/** `eraserelu eval`: measures a trained model on test images. */
import { Command } from 'commander'
import type { PrecisionWord } from './auto_precision.js'
import { engineKeys } from './engine_options.js'
import { addJsonOption } from './json.js'
import { addSettings } from './train_settings.js'
import { lookKeys } from './look_options.js'
import { positiveInteger, text } from './values.js'

export interface EvalOptions {
  dataset?: string
  dataPath?: string
  batchSize: number
  device: string
  precision?: PrecisionWord
  /** False with --no-ema. */
  ema: boolean
  last?: boolean
  json?: boolean
}

const examples = `
Examples:
  $ eraserelu eval runs/a                        the best checkpoint of a run, on the data set it was trained on
  $ eraserelu eval runs/a --last --json
  $ eraserelu eval runs/a/checkpoints/step-744 --dataset fashion-mnist
  $ eraserelu eval runs/photos --data-path photos.tar      images in a folder, tar files or packed shards
  $ eraserelu eval model.safetensors

WEIGHTS is a run folder, a checkpoint in it, or a safetensors file whose metadata names the network. Where a checkpoint has a
moving average of the weights (train --model-ema), that is measured, unless --no-ema is given.`

export const evalCommand = (): Command =>
  addJsonOption(
    addSettings(new Command('eval'), ['precision', ...engineKeys, ...lookKeys])
      .description('Measure loss and accuracy of a trained network on test images.')
      .argument('<weights>', 'run folder, checkpoint or safetensors file', text)
      .option('--dataset <name>', 'data set (default: what lies at --data-path, else the one it was trained on)')
      .option(
        '--data-path <folder>',
        'folder with the files of the data set (default: looked for, else downloaded), or where images are',
        text,
      )
      .option('-b, --batch-size <n>', 'images a step', positiveInteger, 128)
      .option('--device <name>', 'device', 'cpu')
      .option('--no-ema', 'the weights themselves, not their moving average')
      .option('--last', 'the last checkpoint of a run folder, not the best'),
  )
    .addHelpText('after', examples)
    .action(async (weights: string, options: EvalOptions) => {
      const { evaluateWeights } = await import('./eval_run.js')
      await evaluateWeights(weights, options)
    })
