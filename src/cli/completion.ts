/** `eraserelu completion`: a script that lets a shell complete commands, flags and names. */
import { Argument, Command } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

const examples = `
Install it:
  bash   eraserelu completion bash > ~/.local/share/bash-completion/completions/eraserelu
         (or, without the package bash-completion: eraserelu completion bash >> ~/.bashrc)
  zsh    eraserelu completion zsh > ~/.zsh/_eraserelu
         and in ~/.zshrc, before compinit: fpath=(~/.zsh $fpath)
  fish   eraserelu completion fish > ~/.config/fish/completions/eraserelu.fish
Make it anew after an update of the package.`

export const completionCommand = (): Command =>
  new Command('completion')
    .description('Print a completion script for a shell: commands, flags, and names of models, data sets and devices.')
    .addArgument(new Argument('<shell>', 'whose script').choices(shells))
    .addHelpText('after', examples)
    .action(async (shell: Shell, _flags: object, command: Command) => {
      const { completion } = await import('./completion_run.js')
      await completion(shell, command.parent!)
    })
