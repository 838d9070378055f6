/** `eraserelu start`: trains a network as published and with the last ReLU of every block erased, and compares the two. */
import { Command } from 'commander'
import { addSettings, givenSettings } from './train_settings.js'
import { location, text } from './values.js'

export interface StartOptions {
  /** Which ReLU of each block is erased. */
  erase: ReturnType<typeof location>
  outputDir: string
}

export const defaultFolder = 'runs/start'

/** Settings of `train` that both trainings share. */
const keys = [
  'model', 'dataset', 'data-path', 'epochs', 'batch-size', 'lr', 'weight-decay', 'seed', 'device', 'erase-proportion',
] as const // prettier-ignore

const examples = `
Examples:
  $ eraserelu start
  $ eraserelu start --dataset fashion-mnist --epochs 5 --batch-size 128
  $ eraserelu start --model resnet56 --erase last --erase-proportion 0.5 --output-dir runs/half`

export const startCommand = (): Command =>
  addSettings(new Command('start'), keys)
    .description('Train a network twice, as published and with the last ReLU of every block erased, and compare the two.')
    .option('--erase <which>', 'ReLU of each block: last, first, middle or an index from 0', location, 'last' as const)
    .option('--output-dir <folder>', 'where the results go', text, defaultFolder)
    .addHelpText('after', examples)
    .action(async (options: StartOptions) => {
      const { start } = await import('./start_run.js')
      await start(givenSettings(keys, options), options)
    })
