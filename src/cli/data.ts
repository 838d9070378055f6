/** `eraserelu data`: what is in a data set, in numbers and as pictures. */
import { Command } from 'commander'
import { addJsonOption, type JsonFlag } from './json.js'
import { addSettings, givenSettings } from './train_settings.js'
import { naturalNumber, positiveInteger, text } from './values.js'

export interface DataOptions extends JsonFlag {
  stats?: boolean
  /** A PNG file to write. */
  grid?: string
  count: number
  epoch: number
}

/** Settings of `train` that decide what images a training sees. */
const keys = [
  'data-path', 'seed', 'train-crop-size', 'val-crop-size', 'val-resize-size', 'workers', 'max-corrupt', 'crop-padding', 'padding-mode', 'flip',
  'cutout', 'color-jitter', 'lighting', 'random-erasing', 'random-erasing-value', 'mixup', 'cutmix', 'normalize',
] as const // prettier-ignore

const examples = `
Examples:
  $ eraserelu data fashion-mnist-sample
  $ eraserelu data cifar10 --grid cifar10.png
  $ eraserelu data --data-path photos --stats      class folders, tar files or shards; images that cannot be read are named
  $ eraserelu data --data-path photos --grid jitter.png --color-jitter 0.4 --lighting 0.1
  $ eraserelu data cifar10 --grid mixed.png --cutmix 1
  $ eraserelu data cifar100 --data-path /data --grid first.png --padding-mode reflect --seed 3 --stats --json

The images of --grid are the first ones that a training with these settings and this seed sees in that epoch, changed at
random as it sees them, with their classes below. Mixed images have both classes with their shares; of a batch, the first is mixed with the
last one on the sheet.`

export const dataCommand = (): Command =>
  addJsonOption(
    addSettings(
      new Command('data')
        .description('Show a data set: images a class, mean and standard deviation, and a sheet of training images.')
        .argument('[dataset]', 'data set, such as cifar10 (default: what lies at --data-path)', text)
        .option('--stats', 'print counts, sizes, mean and standard deviation (also without --grid)')
        .option('--grid <file>', 'write a sheet of augmented training images, a PNG file', text)
        .option('--count <n>', 'images on the sheet (default: 40)', positiveInteger, 40)
        .option('--epoch <n>', 'whose images, from 0 (default: 0)', naturalNumber, 0),
      keys,
    ),
  )
    .addHelpText('after', examples)
    .action(async (name: string | undefined, options: DataOptions) => {
      const { showData } = await import('./data_run.js')
      await showData(name, givenSettings(keys, options), options)
    })
