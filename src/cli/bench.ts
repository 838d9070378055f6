/** `eraserelu bench`: how fast a training step or inference is on this machine. */
import { Command, Option } from 'commander'
import { gpuNames } from './gpus.js'
import { addMeasureOptions, type MeasureFlags } from './measure_options.js'

export interface BenchFlags extends MeasureFlags {
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
  addMeasureOptions(new Command('bench'), { steps: 20, warmup: 3 })
    .description('Measure a training step of a network, or inference, on random images.')
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
