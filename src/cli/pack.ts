/** `eraserelu pack`: images into a few large files. */
import { Command, Option } from 'commander'
import { naturalNumber, positiveInteger, text } from './values.js'

export interface PackFlags {
  format: 'keep' | 'jpeg' | 'raw'
  quality?: number
  size?: number
  /** MiB */
  shardSize: number
  workers?: number
  maxCorrupt: number
}

const examples = `
Examples:
  $ eraserelu pack photos packed                              photos/train/CLASS/*.jpg, photos/val/CLASS/*.jpg, as they are
  $ eraserelu pack photos.tar packed                          a tar file of WebDataset, or a folder of them
  $ eraserelu pack photos small --format jpeg --size 400      JPEGs with a shorter side of at most 400 pixels
  $ eraserelu train --model resnet50 --data-path packed

Every image is decoded, also when its bytes are kept: one that cannot be read is named, and ends it, or is passed over (--max-corrupt). A
packing that was stopped or killed goes on with the same command. The format is described in docs/shards.md.`

export const packCommand = (): Command =>
  new Command('pack')
    .description('Pack images in class folders or tar files into shards, from which to train.')
    .argument('<source>', 'folder with train/CLASS/*.jpg, ImageNet, tar files, or shards', text)
    .argument('<folder>', 'new folder for the shards', text)
    .addOption(
      new Option('--format <how>', 'the bytes as they are, JPEGs encoded anew, or pixels')
        .choices(['keep', 'jpeg', 'raw'])
        .default('keep'),
    )
    .option('--quality <n>', 'of JPEGs encoded anew, 1 to 100 (default: 90)', positiveInteger)
    .option('--size <pixels>', 'jpeg, raw: shorter side, where it is longer (default: as it is)', positiveInteger)
    .option('--shard-size <MiB>', 'most bytes of images in a shard', positiveInteger, 256)
    .option('-j, --workers <n>', 'threads (default: one a processor)', positiveInteger)
    .option('--max-corrupt <n>', 'images that may be passed over because they cannot be read', naturalNumber, 0)
    .addHelpText('after', examples)
    .action(async (source: string, folder: string, flags: PackFlags) => {
      const { packImages } = await import('./pack_run.js')
      await packImages(source, folder, flags)
    })
