/** `eraserelu train`: trains one network into a run folder, from which it can be resumed. */
import { Command } from 'commander'
import { addSettings, givenSettings, settingKeys } from './train_settings.js'
import { text } from './values.js'

export interface TrainOptions {
  /** A YAML file with settings. */
  config?: string
  /** The run folder. */
  outputDir?: string
  /** True: whatever the run folder holds. */
  resume?: string | true
  testOnly?: boolean
}

const examples = `
Examples:
  $ eraserelu train                                     ResNet-20 on the images that come with the package
  $ eraserelu train --erase last --output-dir runs/a    the same with the last ReLU of every block erased
  $ eraserelu train --recipe resnet110-cifar10          as it was published ('eraserelu recipes' lists the recipes)
  $ eraserelu train --output-dir runs/a --resume        go on after Ctrl-C, a crash or a power cut
  $ eraserelu train --config runs/a/args.yaml --seed 2 --output-dir runs/b    the same again with another seed
  $ eraserelu train --resume runs/a --test-only         measure what was trained

--config reads a YAML file of settings; their keys are the flags without the dashes: 'lr: 0.05', 'batch-size: 128'. A run folder
keeps all of them in args.yaml. What counts: flags, then --recipe, then --config, then args.yaml of the run that is resumed, then the
defaults.

The run folder has args.yaml, metrics.jsonl (every step), summary.csv (every epoch), curves.png, TensorBoard events, and
checkpoints/step-N/model.safetensors with the links 'last' and 'best'. Ctrl-C writes a checkpoint and exits with 130;
so does closing the terminal (129), unless the command was started with nohup.`

export const trainCommand = (): Command =>
  addSettings(new Command('train'), settingKeys)
    .description('Train a network; write metrics, curves and checkpoints into a run folder.')
    .option('--config <file>', 'YAML file of settings, such as the args.yaml of a run folder', text)
    .option(
      '--output-dir <folder>',
      'the run folder itself (default: runs/MODEL-DATASET, with -erase-WHICH where ReLUs are erased)',
      text,
    )
    .option(
      '--resume [checkpoint]',
      'go on from this checkpoint or run folder; alone: from what --output-dir holds, or start afresh',
      text,
    )
    .option('--test-only', 'evaluate --resume or --weights on the test images and stop')
    .addHelpText('after', examples)
    .action(async (flags: TrainOptions) => {
      const { train } = await import('./train_run.js')
      await train(givenSettings(settingKeys, flags), flags)
    })
