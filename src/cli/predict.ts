/** `eraserelu predict`: what a trained model sees on images. */
import { Command } from 'commander'
import type { PrecisionWord } from './auto_precision.js'
import { engineKeys } from './engine_options.js'
import { addJsonOption } from './json.js'
import { lookKeys } from './look_options.js'
import { addSettings } from './train_settings.js'
import { indices, positiveInteger, text } from './values.js'

export interface PredictOptions {
  dataset?: string
  dataPath?: string
  /** Numbers of test images. */
  index?: number[]
  top: number
  device: string
  precision?: PrecisionWord
  /** False with --no-ema. */
  ema: boolean
  last?: boolean
  json?: boolean
}

const examples = `
Examples:
  $ eraserelu predict runs/a shoe.png coat.png       images from files
  $ eraserelu predict runs/a --index 0,3,5-9         test images of the data set it was trained on, with their true class
  $ eraserelu predict runs/a shoe.png --top 1 --json
  $ eraserelu predict runs/photos cat.jpg holiday/              files of any size, for a network that was trained on image files
  $ eraserelu predict runs/photos --data-path packed --index 7  a test image in a folder, tar file or shards

WEIGHTS is a run folder (its best checkpoint), a checkpoint, or a safetensors file whose metadata names the network. For a network
that was trained on image files (folders, tar files, shards), images are JPEG, PNG or PPM files, resized and cropped as in its evaluations. For
others they are PNG files of the size it was trained on; colours become grey, and grey colours, where the network needs that.`

export const predictCommand = (): Command =>
  addJsonOption(
    addSettings(new Command('predict'), ['precision', ...engineKeys, ...lookKeys])
      .description('Classify images with a trained network.')
      .argument('<weights>', 'run folder, checkpoint or safetensors file', text)
      .argument('[files...]', 'image files, or folders of them')
      .option('--index <numbers>', 'instead of files: test images of a data set by number from 0, such as 0,3,5-9', indices)
      .option('--dataset <name>', 'data set of --index (default: what lies at --data-path, else the one it was trained on)')
      .option(
        '--data-path <folder>',
        'folder with the files of the data set (default: looked for, else downloaded), or where images are',
        text,
      )
      .option('--top <n>', 'classes shown an image', positiveInteger, 3)
      .option('--device <name>', 'device', 'cpu')
      .option('--no-ema', 'the weights themselves, not their moving average')
      .option('--last', 'the last checkpoint of a run folder, not the best'),
  )
    .addHelpText('after', examples)
    .action(async (weights: string, files: string[], options: PredictOptions) => {
      const { predict } = await import('./predict_run.js')
      await predict(weights, files, options)
    })
