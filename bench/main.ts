// npm run bench: speed beside other libraries (default), of reading images (input), of starting (startup), of single operations (ops), and what JavaScript costs a step (loop). Where a step's time goes: eraserelu profile.
import { Command, CommanderError, Option } from 'commander'
import { fail } from '../src/cli/fail.js'
import { positiveInteger } from '../src/cli/values.js'
import { benchedModels, type CompareOptions } from './compare.js'
import type { InputOptions } from './input.js'
import type { LoopOptions } from './loop.js'
import type { OperationOptions } from './operations.js'
import type { StartupOptions } from './startup.js'

const program = new Command('npm run bench --')
  .description('Measures this package. Without a command: compare.')
  .exitOverride()
  .showHelpAfterError('(npm run bench -- --help lists what can be measured)')

program
  .command('compare')
  .description(
    'Training steps of five networks and inferences of ResNet-50 beside PyTorch and onnxruntime-node, where they are installed. ' +
      'PyTorch is looked for in $ERASERELU_BENCH_PYTHON, else python3. OMP_NUM_THREADS sets the threads of all.',
  )
  .option('--rounds <n>', 'how often each library is started, in turn', positiveInteger, 7)
  .option('--steps <n>', 'steps or inferences measured in a round, after the warm-up', positiveInteger, 20)
  .addOption(new Option('--only <task>', 'one of the two').choices(['train', 'infer']))
  .addOption(new Option('--models <names...>', 'of these networks only').choices(benchedModels))
  .option('--output-dir <folder>', 'write bench.json (every sample), bench.md (the tables) and bench.svg there')
  .action(async (options: CompareOptions) => {
    const { compare } = await import('./compare.js')
    await compare(options)
  })

program
  .command('input')
  .description(
    'Training images from JPEG files, beside torchvision and sharp, where they are installed, on one processor and on two. ' +
      'Photographs to read are made by: python3 bench/photographs.py FOLDER',
  )
  .requiredOption('--photographs <folder>', 'with train/CLASS/*.jpg')
  .option('--rounds <n>', 'how often each library is started, in turn', positiveInteger, 7)
  .option('--passes <n>', 'how often all images are read in a round, after the first time', positiveInteger, 2)
  .option('--json <file>', 'write all figures there')
  .action(async (options: InputOptions) => {
    const { compareInputs } = await import('./input.js')
    await compareInputs(options)
  })

program
  .command('startup')
  .description('Importing the package as it is built, and making and compiling a ResNet-50, each time in a process of its own.')
  .option('--rounds <n>', 'how often each is started', positiveInteger, 11)
  .option('--beside <folder>', 'another checkout of this package, built: its starts alternate with those of this one')
  .option('--json <file>', 'write all figures there')
  .action(async (options: StartupOptions) => {
    const { measureStartup } = await import('./startup.js')
    await measureStartup(options)
  })

program
  .command('ops')
  .description(
    'The operations of a training step on the CPU, the largest of each kind, with the `benchmark` package: bytes and arithmetic a second beside the peaks measured in the same run.',
  )
  .option('--model <name>', 'network', 'resnet20')
  .option('-b, --batch-size <n>', 'images a step', positiveInteger, 64)
  .option('--seconds <n>', 'for each operation', positiveInteger, 2)
  .option('--svg <file>', 'draw the roofline there')
  .option('--json <file>', 'write all figures there')
  .action(async (options: OperationOptions) => {
    const { timeOperations } = await import('./operations.js')
    await timeOperations(options)
  })

program
  .command('loop')
  .description(
    'What JavaScript costs: the same training steps on the CPU, a native call each, and by one native call that loops.',
  )
  .option('--model <name>', 'network', 'resnet20')
  .option('-b, --batch-size <n>', 'images a step', positiveInteger, 32)
  .option('--rounds <n>', 'how often both are measured, in turn', positiveInteger, 15)
  .option('--steps <n>', 'in a round', positiveInteger, 10)
  .action(async (options: LoopOptions) => {
    const { measureLoop } = await import('./loop.js')
    await measureLoop(options)
  })

// Options alone are those of the comparison; what commander would make of a misspelled command with a default one is no help.
const given = process.argv.slice(2)
const namesCommand = given[0] !== undefined && (!given[0].startsWith('-') || ['-h', '--help'].includes(given[0]))

try {
  await program.parseAsync(namesCommand ? given : ['compare', ...given], { from: 'user' })
} catch (error) {
  // Commander has written its own message, or the help that was asked for.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else fail(error)
}
