// npm run bench: speed beside other libraries (default), of reading images (input), of starting (startup), of single operations (ops), and what JavaScript costs a step (loop). Where a step's time goes: eraserelu profile.
import { Command, CommanderError, Option } from 'commander'
import { fail } from '../src/cli/fail.js'
import { positiveInteger } from '../src/cli/values.js'
import { rowNames, type CompareOptions } from './compare.js'
import type { InputOptions } from './input.js'
import type { LoopOptions } from './loop.js'
import type { OperationOptions } from './operations.js'
import type { StartupOptions } from './startup.js'

const program = new Command('npm run bench --')
  .description('Measures this package. Without a command: compare.')
  .exitOverride()
  .showHelpAfterError('(npm run bench -- --help lists what can be measured)')

const count = (flags: string, about: string, fallback: number) =>
  new Option(flags, about).argParser(positiveInteger).default(fallback)
const rounds = (fallback: number) => count('--rounds <n>', 'how often each is measured, in turn', fallback)
const json = () => new Option('--json <file>', 'write all figures there')
const model = () => new Option('--model <name>', 'network').default('resnet20')
const batchSize = (fallback: number) => count('-b, --batch-size <n>', 'images a step', fallback)

/** `run`: with the options as an object, whose type is that of what measures. */
function add(name: string, description: string, options: readonly Option[], run: (options: never) => Promise<void>): void {
  const command = program
    .command(name)
    .description(description)
    .action((options: unknown) => run(options as never))
  for (const option of options) command.addOption(option)
}

add(
  'compare',
  'Training steps of five networks and inferences of ResNet-50 beside PyTorch and onnxruntime-node, where they are installed. ' +
    'PyTorch is looked for in $ERASERELU_BENCH_PYTHON, else python3. OMP_NUM_THREADS sets the threads of all.',
  [
    rounds(7),
    count('--steps <n>', 'steps of ResNet-20 measured in a round, after the warm-up; of slower networks fewer', 12),
    new Option('--rows <names...>', 'of the tables, these only').choices(rowNames),
    new Option(
      '--output-dir <folder>',
      'write bench.json (every sample), bench.md (the tables) and bench.svg there; rows that it has stay unless they are measured again',
    ),
  ],
  async (options: CompareOptions) => (await import('./compare.js')).compare(options),
)

add(
  'input',
  'Training images from JPEG files, beside torchvision and sharp, where they are installed, on one processor and on two. ' +
    'Photographs to read are made by: python3 bench/photographs.py FOLDER',
  [
    new Option('--photographs <folder>', 'with train/CLASS/*.jpg').makeOptionMandatory(),
    rounds(7),
    count('--passes <n>', 'how often all images are read in a round, after the first time', 2),
    json(),
  ],
  async (options: InputOptions) => (await import('./input.js')).compareInputs(options),
)

add(
  'startup',
  'Importing the package as it is built, and making and compiling a ResNet-50, each time in a process of its own.',
  [
    rounds(11),
    new Option('--beside <folder>', 'another checkout of this package, built: its starts alternate with those of this one'),
    json(),
  ],
  async (options: StartupOptions) => (await import('./startup.js')).measureStartup(options),
)

add(
  'ops',
  'The operations of a training step on the CPU, the largest of each kind, with the `benchmark` package: bytes and arithmetic a second beside the peaks measured in the same run.',
  [
    model(),
    batchSize(64),
    count('--seconds <n>', 'for each operation', 2),
    new Option('--svg <file>', 'draw the roofline there'),
    json(),
  ],
  async (options: OperationOptions) => (await import('./operations.js')).timeOperations(options),
)

add(
  'loop',
  'What JavaScript costs: the same training steps on the CPU, a native call each, and by one native call that loops.',
  [model(), batchSize(32), rounds(15), count('--steps <n>', 'in a round', 10)],
  async (options: LoopOptions) => (await import('./loop.js')).measureLoop(options),
)

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
