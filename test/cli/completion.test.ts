/** `eraserelu completion`: bash completes for real, on a terminal of its own; the other scripts are checked where their shells are. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { runCli } from './run_cli.js'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eraserelu-completion-'))
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await runCli(['completion', shell])
    expect(code).toBe(0)
    await writeFile(join(folder, shell), stdout)
  }
  // Instead of the command line itself, a function that shows the words it was given.
  const rc = `unset HISTFILE\nsource ${join(folder, 'bash')}\neraserelu() { printf '<%s>' "$@"; echo; }\n`
  await writeFile(join(folder, 'rc'), rc)
})

/** Types the line, tabs and all, into an interactive bash; the words of the command that bash then runs. */
function typed(line: string): Promise<string[]> {
  const shell = spawn('script', ['-qec', `bash --rcfile ${join(folder, 'rc')} -i`, '/dev/null'], {
    cwd: folder,
    env: { ...process.env, INPUTRC: '/dev/null' },
  })
  let output = ''
  shell.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text))
  shell.stdin.end(`${line}\nexit\n`)
  return new Promise((resolve, reject) => {
    shell.on('error', reject).on('close', () => {
      const [shown = ''] = /(?:<[^<>]*>)+(?=\r?\n)/.exec(output) ?? []
      resolve(shown.slice(1, -1).split('><'))
    })
  })
}

it.each([
  ['inf\t resnet11\t --dev\t re\t', ['info', 'resnet110', '--device', 'reference']],
  ['bench --device=c\t resnet4\t --erase-sel\t fi\t', ['bench', '--device=cpu', 'resnet44', '--erase-select', 'first']],
  ['start --dataset fashion-mnist-\t --epochs 1\t', ['start', '--dataset', 'fashion-mnist-sample', '--epochs', '1']],
  ['start --output-dir zs\t', ['start', '--output-dir', 'zsh']],
  ['train --recipe densenet_40_12-s\t', ['train', '--recipe', 'densenet_40_12-svhn']],
  ['comp\t fi\t', ['completion', 'fish']],
  ['rep\t --pl\t', ['reproduce', '--plan']],
  ['doc\t --js\t', ['doctor', '--json']],
])('bash completes %j', async (line, words) => {
  // A tab also types the blank after a word that is complete.
  expect(await typed(`eraserelu ${line.replaceAll('\t ', '\t')}`)).toEqual(words)
})

it.each(['bash', 'zsh', 'fish'])('%s accepts its script, which has every command and the names', async shell => {
  const { status, error, stderr } = spawnSync(shell, ['-n', join(folder, shell)], { encoding: 'utf8' })
  if (!error) expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const { stdout } = await runCli(['completion', shell])
  for (const word of ['info', 'bench', 'doctor', 'start', 'resnet110', 'fashion-mnist', 'reference', 'erase-select']) {
    expect(stdout).toContain(word)
  }
})

it.skipIf(spawnSync('fish', ['--version']).error)('fish completes', () => {
  const completed = (line: string) => {
    const { stdout } = spawnSync('fish', ['-c', `source ${join(folder, 'fish')}; complete -C '${line}'`], { encoding: 'utf8' })
    return stdout.split('\n').map(row => row.split('\t')[0])
  }
  expect(completed('eraserelu in')).toContain('info')
  expect(completed('eraserelu info resnet11')).toContain('resnet110')
  expect(completed('eraserelu bench --device ')).toEqual(expect.arrayContaining(['cpu', 'reference']))
  expect(completed('eraserelu train --wd')).toContain('--wd')
  expect(completed('eraserelu bench --erase-sel')).toContain('--erase-select')
})

it('refuses other shells', async () => {
  const { code, stderr } = await runCli(['completion', 'fsh'])
  expect(code).toBe(2)
  expect(stderr).toMatch(/fsh.*bash.*zsh.*fish/s)
})
