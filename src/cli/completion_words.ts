/** What can stand where on the command line, read from commander's tree: what the completion scripts are made of. */
import type { Argument, Command, Option } from 'commander'

/** What may follow: words of a list, the name of a file or folder, or something that nobody can foresee. */
export type Values = readonly string[] | 'file' | 'free'

export interface Flag {
  readonly long: string
  /** '-b', or a second long one: '--wd'. */
  readonly short: string | undefined
  readonly about: string
  /** Undefined: it takes no value. */
  readonly values: Values | undefined
}

export interface CommandWords {
  readonly name: string
  readonly about: string
  readonly flags: readonly Flag[]
  /** Of the first argument that is no flag. */
  readonly values: Values
}

/** `names`: the words of values and arguments by their name: { device: ['cpu', …] }. */
export function wordsOf(program: Command, names: Readonly<Record<string, readonly string[]>>): CommandWords[] {
  const valuesOf = (name: string, choices: readonly string[] | undefined, placeholder: string): Values => {
    return choices ?? names[name] ?? (/file|folder|path|checkpoint|weights/.test(placeholder) ? 'file' : 'free')
  }
  const flagOf = (option: Option): Flag => {
    const placeholder = /[<[].*$/.exec(option.flags)?.[0]
    return {
      long: option.long!,
      short: option.short,
      about: option.description,
      values: placeholder === undefined ? undefined : valuesOf(option.long!.replace(/^--/, ''), option.argChoices, placeholder),
    }
  }
  const first = ([argument]: readonly Argument[]): Values =>
    argument ? valuesOf(argument.name(), argument.argChoices, argument.name()) : []
  const help: Flag = { long: '--help', short: '-h', about: 'display help for command', values: undefined }
  return program.commands.map(command => ({
    name: command.name(),
    about: command.description(),
    flags: [...command.options.filter(({ hidden, long }) => !hidden && long).map(flagOf), help],
    values: first(command.registeredArguments),
  }))
}
