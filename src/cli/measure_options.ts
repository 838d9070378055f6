/** The flags of the commands that measure steps: bench and profile. */
import { Option, type Command } from 'commander'
import { optionalPasses, type PassName } from '../graph/passes/optional.js'
import { checkMemory, type Memory } from '../graph/passes/recompute.js'
import { InvalidArgument } from '../runtime/errors.js'
import { precisionHelp, precisionWords, type PrecisionWord } from './auto_precision.js'
import { engineKeys } from './engine_options.js'
import { addJsonOption, type JsonFlag } from './json.js'
import { addModelOptions, type ModelFlags } from './model_options.js'
import { addSettings } from './train_settings.js'
import { naturalNumber, positiveInteger } from './values.js'

export interface MeasureFlags extends ModelFlags, JsonFlag {
  steps: number
  warmup: number
  threads?: number
  precision: PrecisionWord
  memory?: Memory
  disablePass?: PassName[]
}

/** `steps`, `warmup`: the defaults. */
export const addMeasureOptions = (command: Command, { steps, warmup }: Pick<MeasureFlags, 'steps' | 'warmup'>): Command =>
  addJsonOption(addSettings(addModelOptions(command), ['memory', ...engineKeys]))
    .option('--steps <n>', 'steps that are measured', positiveInteger, steps)
    .option('--warmup <n>', 'steps before them that are not', naturalNumber, warmup)
    .option('--threads <n>', 'threads (default: $OMP_NUM_THREADS, else one a core)', positiveInteger)
    .addOption(new Option('--precision <type>', precisionHelp).choices(precisionWords).default('f32'))
    .addOption(
      new Option('--disable-pass <names...>', 'leave out passes that only make a plan faster or smaller').choices(optionalPasses),
    )

/** Which the flags ask for; `command`: 'bench'. */
export function memoryGiven(command: string, { memory = 'normal', infer = false, disablePass }: MeasureFlags): Memory {
  checkMemory(command, memory, disablePass)
  if (infer && memory === 'low')
    throw new InvalidArgument(
      `${command}: --memory low is for training: an inference keeps no activations, so leave one of --memory and --infer out`,
    )
  return memory
}
