#!/usr/bin/env node
// The command line: one file a command, each of which loads what it needs only when it runs.
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../runtime/package_root.js'
import { benchCommand } from './bench.js'
import { completionCommand } from './completion.js'
import { dataCommand } from './data.js'
import { doctorCommand } from './doctor.js'
import { evalCommand } from './eval.js'
import { fail } from './fail.js'
import { infoCommand } from './info.js'
import { endWithoutOutput } from './interrupt.js'
import { packCommand } from './pack.js'
import { predictCommand } from './predict.js'
import { profileCommand } from './profile.js'
import { recipesCommand } from './recipes.js'
import { reproduceCommand } from './reproduce.js'
import { startCommand } from './start.js'
import { trainCommand } from './train.js'
import { unpackCommand } from './unpack.js'

const commands = [
  startCommand(),
  trainCommand(),
  reproduceCommand(),
  evalCommand(),
  predictCommand(),
  infoCommand(),
  recipesCommand(),
  dataCommand(),
  packCommand(),
  unpackCommand(),
  benchCommand(),
  profileCommand(),
  doctorCommand(),
  completionCommand(),
]

const examples = `
Examples:
  $ eraserelu start
  $ eraserelu info resnet20 --erase last
  $ eraserelu doctor`

const program = new Command('eraserelu')
  .description('Trains convolutional networks, with and without the ReLUs that EraseReLU (arXiv 1709.07634) erases.')
  .version(packageVersion())
  .exitOverride()
  .configureHelp({ subcommandTerm: command => command.name() })
  .showHelpAfterError("('eraserelu --help' lists the commands, 'eraserelu COMMAND --help' the options of one)")
  .addHelpText('after', examples)

for (const command of commands) program.addCommand(command.copyInheritedSettings(program))

endWithoutOutput()
try {
  await program.parseAsync()
} catch (error) {
  // Commander has written its own message, or the help that was asked for.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else fail(error)
}
