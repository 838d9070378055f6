/** `eraserelu start`: trains a network as published and with the last ReLU of every block erased, and compares the two. */
import { Command } from 'commander'
import type { EraseOptions } from '../erase.js'
import { location, naturalNumber, positiveInteger, positiveNumber, share, weight } from './values.js'

export interface StartOptions {
  model: string
  dataset: string
  dataPath?: string
  epochs: number
  batchSize: number
  lr: number
  weightDecay: number
  seed: number
  device: string
  erase: NonNullable<EraseOptions['location']>
  eraseProportion: number
  outputDir: string
}

export const sample = 'fashion-mnist-sample'
export const defaultFolder = 'runs/start'

export const startCommand = (): Command =>
  new Command('start')
    .description('Train a network twice, as published and with the last ReLU of every block erased, and compare the two.')
    .option('--model <name>', 'network', 'resnet20')
    .option('--dataset <name>', `${sample} (comes with the package) or fashion-mnist`, sample)
    .option('--data-path <folder>', 'folder with the files of fashion-mnist (default: looked for, else downloaded)')
    .option('--epochs <n>', 'epochs of each training', positiveInteger, 8)
    .option('--batch-size <n>', 'images a step', positiveInteger, 64)
    .option('--lr <rate>', 'highest learning rate', positiveNumber, 0.1)
    .option('--weight-decay <factor>', 'weight decay', weight, 5e-4)
    .option('--seed <n>', 'of weights, order of images and augmentation', naturalNumber, 1)
    .option('--device <name>', 'device', 'cpu')
    .option('--erase <which>', 'ReLU of each block: last, first, middle or an index from 0', location, 'last')
    .option('--erase-proportion <share>', 'share of the blocks in which it is erased, 0 to 1', share, 1)
    .option('--output-dir <folder>', 'where the results go', defaultFolder)
    .action(async (options: StartOptions) => {
      const { start } = await import('./start_run.js')
      await start(options)
    })
