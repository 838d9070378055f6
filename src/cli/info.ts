/** `eraserelu info`: a network layer by layer, with its ReLUs and the memory that it needs. */
import { Command } from 'commander'
import { addJsonOption, type JsonFlag } from './json.js'
import { addModelOptions, type ModelFlags } from './model_options.js'

export type InfoFlags = ModelFlags & JsonFlag

const examples = `
Examples:
  $ eraserelu info resnet20 --erase last
  $ eraserelu info resnet50 --infer --batch-size 1
  $ eraserelu info resnet20 --model-kwargs width=32 shortcut=B --num-classes 100
  $ eraserelu info resnet18 --erase last --erase-proportion 0.5 --json`

export const infoCommand = (): Command =>
  addJsonOption(addModelOptions(new Command('info')))
    .description('Show the layers of a network: shapes, parameters, multiply-accumulates, ReLUs and planned memory.')
    .addHelpText('after', examples)
    .action(async (model: string, flags: InfoFlags) => {
      const { info } = await import('./info_run.js')
      await info(model, flags)
    })
