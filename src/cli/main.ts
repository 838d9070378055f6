#!/usr/bin/env node
// The command line: one file a command, each of which loads what it needs only when it runs.
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../runtime/package_root.js'
import { fail } from './fail.js'
import { startCommand } from './start.js'

const program = new Command('eraserelu')
  .description('Trains convolutional networks, with and without the ReLUs that EraseReLU (arXiv 1709.07634) erases.')
  .version(packageVersion())
  .exitOverride()
  .showHelpAfterError("('eraserelu --help' lists the commands, 'eraserelu COMMAND --help' the options of one)")

for (const command of [startCommand()]) program.addCommand(command.copyInheritedSettings(program))

try {
  await program.parseAsync()
} catch (error) {
  // Commander has written its own message, or the help that was asked for.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else fail(error)
}
