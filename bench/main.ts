// npm run bench: speed beside other libraries (default), of single operations (ops), and where a step's time goes (profile).
import { Command, CommanderError, Option } from 'commander'
import { fail } from '../src/cli/fail.js'
import { positiveInteger } from '../src/cli/values.js'
import type { CompareOptions } from './compare.js'

const program = new Command('npm run bench --')
  .description('Measures this package. Without a command: compare.')
  .exitOverride()
  .showHelpAfterError('(npm run bench -- --help lists what can be measured)')

program
  .command('compare')
  .description(
    'A training step of ResNet-20 and an inference of ResNet-50 beside PyTorch and onnxruntime-node, where they are installed. ' +
      'PyTorch is looked for in $ERASERELU_BENCH_PYTHON, else python3. OMP_NUM_THREADS sets the threads of all.',
  )
  .option('--rounds <n>', 'how often each library is started, in turn', positiveInteger, 5)
  .option('--steps <n>', 'steps or inferences measured in a round, after the warm-up', positiveInteger, 20)
  .addOption(new Option('--only <task>', 'one of the two').choices(['train', 'infer']))
  .option('--json <file>', 'write all figures there')
  .action(async (options: CompareOptions) => {
    const { compare } = await import('./compare.js')
    await compare(options)
  })

program
  .command('ops')
  .description('Single operations on the CPU, with the `benchmark` package.')
  .action(async () => {
    const { timeOperations } = await import('./operations.js')
    await timeOperations()
  })

program
  .command('profile')
  .description("Where a training step's time goes on the CPU, by operation, tiled and not.")
  .argument('[model]', 'name of a model', 'resnet20')
  .argument('[batch]', 'images in a batch', positiveInteger, 128)
  .argument('[size]', 'side of an image in pixels', positiveInteger, 32)
  .action(async (model: string, batch: number, size: number) => {
    const { profileStep } = await import('./step_profile.js')
    await profileStep(model, batch, size)
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
