/** `eraserelu reproduce`: a study of networks, locations, proportions and seeds, with error bars and a report. */
import { Command } from 'commander'
import { addJsonOption, type JsonFlag } from './json.js'
import { addSettings, givenSettings, settingKeys } from './train_settings.js'
import { indices, listOf, location, positiveInteger, share, text } from './values.js'

/** What every run has its own of. */
export const ownKeys = ['model', 'erase', 'erase-proportion', 'seed'] as const

/** Settings of `train` that all runs share. */
export const sharedKeys = settingKeys.filter(key => !(ownKeys as readonly string[]).includes(key))

export interface ReproduceFlags extends JsonFlag {
  config?: string
  models?: string[]
  locations?: ReturnType<typeof location>[]
  proportions?: number[]
  seeds?: number[]
  jobs: number
  threads?: number
  plan?: boolean
  reportOnly?: boolean
  outputDir: string
}

const examples = `
Examples:
  $ eraserelu reproduce --plan                          the runs and their estimated time; writes nothing
  $ eraserelu reproduce --models resnet20,resnet56 --proportions 0,0.5,1 --seeds 1-5 --epochs 20 --jobs 2
  $ eraserelu reproduce --config study.yaml --output-dir runs/study
  $ eraserelu reproduce --output-dir runs/study         go on with it after Ctrl-C, a crash or a power cut

Proportion 0 is the network as published: one arm of each model, which the others are compared with, seed by seed.

--config reads a YAML file (docs/reproduce.md):
  matrix:
    - { models: [resnet20, resnet56], locations: [last], proportions: [0, 1] }
    - { models: [resnet20], locations: [first], proportions: [0.5, 1] }
  seeds: [1, 2, 3]
  settings: { dataset: fashion-mnist, epochs: 20, model-kwargs: { width: 8 } }
The settings are those of 'eraserelu train'; flags count before the file. The study folder keeps all of it in study.yaml.

Every run is a process of its own ('eraserelu train'), with a run folder in runs/. A study that was stopped or killed goes on where
it was; finished runs are not repeated. The report is report.md, report.html, figures/*.svg; all numbers are in results.json.`

export const reproduceCommand = (): Command =>
  addSettings(addJsonOption(new Command('reproduce')), sharedKeys)
    .description('Train networks with and without ReLUs, with several seeds, and report what differs.')
    .option('--config <file>', 'YAML file of a study', text)
    .option('--models <names>', 'networks, such as resnet20,resnet56 (default: resnet20)', listOf(text))
    .option('--locations <which>', 'ReLUs of each block: last, first, middle or an index (default: last)', listOf(location))
    .option('--proportions <shares>', 'shares of the blocks, such as 0,0.5,1 (default: 0,1)', listOf(share))
    .option('--seeds <numbers>', 'such as 1-5 or 1,2,8 (default: 1-3)', indices)
    .option('--jobs <n>', 'runs at a time', positiveInteger, 1)
    .option('--threads <n>', 'threads of a run (default: $OMP_NUM_THREADS, else the cores divided by --jobs)', positiveInteger)
    .option('--plan', 'print the runs and their estimated time and stop')
    .option('--report-only', 'train nothing; make the report anew from the finished runs')
    .option('--output-dir <folder>', 'the study folder', text, 'runs/study')
    .addHelpText('after', examples)
    .action(async (flags: ReproduceFlags) => {
      const { reproduce } = await import('./reproduce_run.js')
      await reproduce(givenSettings(sharedKeys, flags), flags)
    })
