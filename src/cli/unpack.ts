/** `eraserelu unpack`: the files back that were packed. */
import { Command } from 'commander'
import { text } from './values.js'

export const unpackCommand = (): Command =>
  new Command('unpack')
    .description('Write the images of packed shards as files, in a folder a class.')
    .argument('<shards>', 'folder with shards.json', text)
    .argument('<folder>', 'new folder for the files', text)
    .addHelpText('after', '\nExamples:\n  $ eraserelu unpack packed photos    photos/train/CLASS/*.jpg, photos/val/CLASS/*.jpg')
    .action(async (shards: string, folder: string) => {
      const { unpackImages } = await import('./pack_run.js')
      await unpackImages(shards, folder)
    })
