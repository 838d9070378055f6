/** The argument and flags of the commands that look at a model of the registry: info and bench. */
import type { Command } from 'commander'
import { eraseKeys } from './erase_options.js'
import { addSettings } from './train_settings.js'
import { positiveInteger } from './values.js'

export interface ModelFlags {
  batchSize: number
  imageSize?: number
  numClasses?: number
  inChannels?: number
  infer?: boolean
  device: string
}

/** Those that are settings of a training too. */
export const modelKeys = ['model-kwargs', ...eraseKeys] as const

export function addModelOptions(command: Command): Command {
  command
    .argument('<model>', 'network, such as resnet20')
    .option('--infer', 'inference instead of a training step (SGD with momentum)')
    .option('-b, --batch-size <n>', 'images a step', positiveInteger, 32)
    .option(
      '--image-size <pixels>',
      'height and width of the images (default: what the network was designed for)',
      positiveInteger,
    )
    .option('--num-classes <n>', "classes (default: the network's)", positiveInteger)
    .option('--in-channels <n>', "channels of the images (default: the network's)", positiveInteger)
    .option('--device <name>', 'where it runs: cpu or reference', 'cpu')
  return addSettings(command, modelKeys)
}
