/** `eraserelu profile`: where the time of a step goes, operation by operation and layer by layer. */
import { Command } from 'commander'
import { addMeasureOptions, type MeasureFlags } from './measure_options.js'
import { positiveInteger } from './values.js'

export interface ProfileFlags extends MeasureFlags {
  layers: number
  trace?: string
}

const examples = `
Examples:
  $ eraserelu profile resnet20 --batch-size 128
  $ eraserelu profile resnet50 --infer --batch-size 1 --trace resnet50.json
  $ eraserelu profile resnet20 --erase last --json`

export const profileCommand = (): Command =>
  addMeasureOptions(new Command('profile'), { steps: 10, warmup: 2 })
    .description('Measure every operation of a training step or an inference, on random images, against what the machine can do.')
    .option('--layers <n>', 'how many layers the table shows', positiveInteger, 15)
    .option('--trace <file>', "write the step for Chrome's trace viewer (chrome://tracing, ui.perfetto.dev)")
    .addHelpText('after', examples)
    .action(async (model: string, flags: ProfileFlags) => {
      const { profile } = await import('./profile_run.js')
      await profile(model, flags)
    })
