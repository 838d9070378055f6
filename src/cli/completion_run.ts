/** What `eraserelu completion` does: one script a shell, with all words in it, so that completing starts no Node.js. */
import type { Command } from 'commander'
import { dataNames } from './data_set.js'
import { list as models } from '../models/index.js'
import { devices } from '../runtime/devices.js'
import type { Shell } from './completion.js'
import { allRecipes } from './recipe_files.js'
import { wordsOf, type CommandWords, type Flag, type Values } from './completion_words.js'

export async function completion(shell: Shell, program: Command): Promise<void> {
  const recipe = (await allRecipes()).map(({ name }) => name)
  const names = { model: models(), recipe, dataset: dataNames(), device: devices(), erase: ['last', 'first', 'middle'] }
  const script = { bash, zsh, fish }[shell]
  process.stdout.write(script(wordsOf(program, names)))
}

const programFlags = [
  { long: '--help', about: 'display help for command' },
  { long: '--version', about: 'output the version number' },
]

/** Within single quotes of bash and zsh. */
const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`
const lines = (...parts: (string | readonly string[])[]) => `${parts.flat().join('\n')}\n`
const valued = (flags: readonly Flag[]) => flags.filter(({ values }) => values !== undefined)
/** A case of bash and zsh: what to do after a flag that takes a value. */
const afterFlag = (all: readonly CommandWords[], action: (values: Values) => string) =>
  all.flatMap(({ name, flags }) =>
    valued(flags).map(({ long, short, values }) => {
      const words = [long, ...(short === undefined ? [] : [short])].map(flag => quote(`${name} ${flag}`))
      return `    ${words.join('|')}) ${action(values!)}return ;;`
    }),
  )

function bash(all: readonly CommandWords[]): string {
  const among = (words: readonly string[]) => `COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$cur")); `
  const action = (values: Values) => (values === 'file' ? 'compopt -o default; ' : values === 'free' ? '' : among(values))
  return lines(
    '# eraserelu completion for bash',
    '_eraserelu() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}',
    '  # bash makes three words of --flag=value.',
    '  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi',
    '  COMPREPLY=()',
    '  if ((COMP_CWORD == 1)); then',
    `    ${among([...all.map(({ name }) => name), ...programFlags.map(({ long }) => long)])}return`,
    '  fi',
    '  case "${COMP_WORDS[1]} $prev" in',
    afterFlag(all, action),
    '  esac',
    '  case "${COMP_WORDS[1]}:$cur" in',
    all.flatMap(({ name, flags, values }) => [
      `    ${name}:-*) ${among(flags.map(({ long }) => long))};;`,
      `    ${name}:*) ${action(values)};;`,
    ]),
    '  esac',
    '}',
    'complete -F _eraserelu eraserelu',
  )
}

function zsh(all: readonly CommandWords[]): string {
  const described = (items: readonly { long?: string; name?: string; about: string }[]) =>
    items.map(({ long, name, about }) => quote(`${long ?? name}:${about}`)).join(' ')
  const action = (values: Values) =>
    values === 'file'
      ? '_files; '
      : values === 'free'
        ? ''
        : values.length === 0
          ? ''
          : `compadd -- ${values.map(quote).join(' ')}; `
  return lines(
    '#compdef eraserelu',
    '_eraserelu() {',
    '  local -a words_here',
    '  local before=${words[CURRENT-1]}',
    '  if [[ ${words[CURRENT]} == --*=* ]]; then before=${words[CURRENT]%%=*}; compset -P "*="; fi',
    '  if (( CURRENT == 2 )); then',
    `    words_here=(${described([...all, ...programFlags])})`,
    '    _describe command words_here; return',
    '  fi',
    '  case "${words[2]} $before" in',
    afterFlag(all, action),
    '  esac',
    '  case "${words[2]}:${words[CURRENT]}" in',
    all.flatMap(({ name, flags, values }) => [
      `    ${name}:-*) words_here=(${described(flags)}); _describe -o option words_here ;;`,
      `    ${name}:*) ${action(values)};;`,
    ]),
    '  esac',
    '}',
    '# Run as a completion function from $fpath, or sourced.',
    'if [[ ${funcstack[1]} == _eraserelu ]]; then _eraserelu "$@"; else compdef _eraserelu eraserelu; fi',
  )
}

function fish(all: readonly CommandWords[]): string {
  const text = (words: string) => `'${words.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const first = (name: string, about: string) => `complete -c eraserelu -n __fish_use_subcommand ${name} -d ${text(about)}`
  const spelt = ({ long, short = '' }: Flag) =>
    [long, short]
      .map(flag => flag.replace(/^--/, '-l ').replace(/^-(?=\w$)/, '-s '))
      .join(' ')
      .trim()
  const words = (values: readonly string[]) => `-a ${text(values.join(' '))}`
  const taking = (values: Values | undefined) =>
    values === undefined ? '' : values === 'file' ? ' -r -F' : values === 'free' ? ' -x' : ` -x ${words(values)}`
  return lines(
    '# eraserelu completion for fish',
    'complete -c eraserelu -f',
    programFlags.map(({ long, about }) => first(`-l ${long.slice(2)}`, about)),
    all.flatMap(({ name, about, flags, values }) => {
      const within = `complete -c eraserelu -n '__fish_seen_subcommand_from ${name}'`
      return [
        first(`-a ${name}`, about),
        ...flags.map(flag => `${within} ${spelt(flag)} -d ${text(flag.about)}${taking(flag.values)}`),
        ...(values === 'file'
          ? [`${within} -F`]
          : values === 'free' || values.length === 0
            ? []
            : [`${within} ${words(values)}`]),
      ]
    }),
  )
}
