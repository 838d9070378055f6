/** `eraserelu profile`: where the time of a step goes, operation by operation and layer by layer. */
import { Command, Option } from 'commander'
import type { PassName } from '../graph/passes/optional.js'
import { precisions, type Precision } from '../graph/precision.js'
import { disablePassOption } from './disable_pass.js'
import { engineKeys } from './engine_options.js'
import { addJsonOption, type JsonFlag } from './json.js'
import { addModelOptions, type ModelFlags } from './model_options.js'
import { addSettings } from './train_settings.js'
import { naturalNumber, positiveInteger } from './values.js'

export interface ProfileFlags extends ModelFlags, JsonFlag {
  steps: number
  warmup: number
  layers: number
  threads?: number
  precision: Precision
  disablePass?: PassName[]
  trace?: string
}

const examples = `
Examples:
  $ eraserelu profile resnet20 --batch-size 128
  $ eraserelu profile resnet50 --infer --batch-size 1 --trace resnet50.json
  $ eraserelu profile resnet20 --erase last --json`

export const profileCommand = (): Command =>
  addJsonOption(addSettings(addModelOptions(new Command('profile')), engineKeys))
    .description('Measure every operation of a training step or an inference, on random images, against what the machine can do.')
    .option('--steps <n>', 'steps that are measured', positiveInteger, 10)
    .option('--warmup <n>', 'steps before them that are not', naturalNumber, 2)
    .option('--layers <n>', 'how many layers the table shows', positiveInteger, 15)
    .option('--threads <n>', 'threads (default: $OMP_NUM_THREADS, else one a core)', positiveInteger)
    .addOption(
      new Option('--precision <type>', 'of activations and their gradients; other than f32 needs a GPU')
        .choices(precisions)
        .default('f32'),
    )
    .addOption(disablePassOption())
    .option('--trace <file>', "write the step for Chrome's trace viewer (chrome://tracing, ui.perfetto.dev)")
    .addHelpText('after', examples)
    .action(async (model: string, flags: ProfileFlags) => {
      const { profile } = await import('./profile_run.js')
      await profile(model, flags)
    })
