/** `eraserelu doctor`: what this machine has, which devices work, and why others do not. */
import { Command } from 'commander'
import { addJsonOption, type JsonFlag } from './json.js'

const examples = `
Exit code: 0 when a device works, 1 when none does.

Examples:
  $ eraserelu doctor
  $ eraserelu doctor --json`

export const doctorCommand = (): Command =>
  addJsonOption(new Command('doctor'))
    .description('Say which devices work here and why others do not: addon, libraries, processor, threads, memory.')
    .addHelpText('after', examples)
    .action(async (flags: JsonFlag) => {
      const { doctor } = await import('./doctor_run.js')
      await doctor(flags)
    })
