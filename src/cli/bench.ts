/** `eraserelu bench`: how fast a training step or inference is on this machine. */
import { Command, Option } from 'commander'
import type { PassName } from '../graph/passes/optional.js'
import { precisions, type Precision } from '../graph/precision.js'
import { disablePassOption } from './disable_pass.js'
import { engineKeys } from './engine_options.js'
import { gpuNames } from './gpus.js'
import { addJsonOption, type JsonFlag } from './json.js'
import { addModelOptions, type ModelFlags } from './model_options.js'
import { addSettings } from './train_settings.js'
import { naturalNumber, positiveInteger } from './values.js'

export interface BenchFlags extends ModelFlags, JsonFlag {
  steps: number
  warmup: number
  threads?: number
  precision: Precision
  disablePass?: PassName[]
  /** Of which GPU; true: of all. */
  roofline?: string | true
}

const examples = `
Examples:
  $ eraserelu bench resnet20 --batch-size 128
  $ eraserelu bench resnet20 --batch-size 128 --erase last
  $ eraserelu bench resnet50 --infer --batch-size 1 --threads 1 --json
  $ eraserelu bench resnet50 --roofline H100 --batch-size 256 --precision bf16 --erase last`

export const benchCommand = (): Command =>
  addJsonOption(addSettings(addModelOptions(new Command('bench')), engineKeys))
    .description('Measure a training step of a network, or inference, on random images.')
    .option('--steps <n>', 'steps that are measured', positiveInteger, 20)
    .option('--warmup <n>', 'steps before them that are not', naturalNumber, 3)
    .option('--threads <n>', 'threads (default: $OMP_NUM_THREADS, else one a core)', positiveInteger)
    .addOption(
      new Option('--precision <type>', 'of activations and their gradients; other than f32 needs a GPU')
        .choices(precisions)
        .default('f32'),
    )
    .addOption(disablePassOption())
    .addOption(
      new Option(
        '--roofline [gpu]',
        'run nothing: count bytes, arithmetic and launches of the step on a GPU, and predict its time (default: all GPUs)',
      ).choices([...gpuNames, 'all']),
    )
    .addHelpText('after', examples)
    .action(async (model: string, flags: BenchFlags) => {
      if (flags.roofline !== undefined) {
        const { roofline } = await import('./roofline_run.js')
        return roofline(model, flags)
      }
      const { bench } = await import('./bench_run.js')
      await bench(model, flags)
    })
