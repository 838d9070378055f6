/** What the command line answers to wrong words, and to none. */
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageVersion } from '../../src/runtime/package_root.js'
import { runCli } from './run_cli.js'

const mistakes: [words: string, message: RegExp][] = [
  ['strat', /unknown command 'strat'\n\(Did you mean start\?\)/],
  ['start --epohcs 3', /unknown option '--epohcs'\n\(Did you mean --epochs\?\)/],
  ['start more', /too many arguments for 'start'/],
  ['start --epochs 0', /'--epochs <n>' argument '0' is invalid. It must be an integer of at least 1/],
  ['start --lr fast', /'--lr <rate>' argument 'fast' is invalid. It must be a number above 0/],
  ['start --erase-proportion 1.5', /It must be a number from 0 to 1/],
  ['start --erase lsat', /It must be 'last', 'first', 'middle' or an index from 0/],
  ['start --model resnet21', /no model is called 'resnet21'. Did you mean 'resnet20'/],
  ['start --dataset fashion-mnsit', /Did you mean 'fashion-mnist'/],
  ['start --device gpu', /--device must be one of cpu/],
  ['start --data-path /tmp', /--data-path is for other data sets/],
  ['start --dataset fashion-mnist --data-path /nowhere', /was not found. Looked at:\n {2}\/nowhere: no such folder/],
  ['start --erase 5', /no basic module has a ReLU at location 5: the longest chain has 2 ReLUs/],
  ['info', /missing required argument 'model'/],
  ['info resnet21', /no model is called 'resnet21'. Did you mean 'resnet20'/],
  [
    'info resnet20 --erase-select evn',
    /'--erase-select <which>' argument 'evn' is invalid. It must be one of even, first, last. Did you mean 'even'/,
  ],
  ['info resnet20 --erase-proportion 0.5', /--erase-proportion says how to erase, but nothing is erased: add --erase last/],
  ['info resnet20 --model-kwargs widht=8', /resnet20: unknown option 'widht'. Did you mean 'width'/],
  ['info resnet20 --model-kwargs width', /It must be name=value, such as width=32/],
  ['info resnet20 --device gpu', /--device must be one of cpu, reference, got 'gpu'/],
  ['bench resnet20 --stpes 3', /unknown option '--stpes'\n\(Did you mean --steps\?\)/],
  ['bench resnet20 --threads 0', /'--threads <n>' argument '0' is invalid. It must be an integer of at least 1/],
  ['start --output-dir=', /'--output-dir <folder>' argument '' is invalid. It must not be empty/],
  [
    'bench resnet20 --batch-size 100000000',
    /bench: a step needs \d+\.\d GB, this machine has .* GB: use a smaller --batch-size or --image-size/,
  ],
  ['bench resnet20 --batch-size 100000000 --infer', /bench: a step needs \d+\.\d GB/],
  ['reproduce --seeds x', /'--seeds <numbers>' argument 'x' is invalid. It must be numbers from 0 and ranges of them/],
  ['reproduce --proportions 0,2', /It must be a number from 0 to 1/],
  ['doctor --jsno', /unknown option '--jsno'\n\(Did you mean --json\?\)/],
  ['start --batch-size 100000', /batchSize 100000 is larger than the 6000 images/],
]

it.each(mistakes)('%s: a message without a stack trace, exit code 2, nothing written', async (words, message) => {
  const cwd = await mkdtemp(join(tmpdir(), 'eraserelu-usage-'))
  const { code, stdout, stderr } = await runCli(words.split(' '), { cwd })
  expect(stderr).toMatch(message)
  expect(stderr).toMatch(/^error: /)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  expect(code).toBe(2)
  expect(await readdir(cwd)).toEqual([])
})

it('lists its commands', async () => {
  const { code, stdout } = await runCli(['--help'])
  for (const command of ['start', 'info', 'data', 'bench', 'doctor', 'completion'])
    expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  expect(code).toBe(0)
})

it.each(['start', 'reproduce', 'info', 'data', 'bench', 'doctor'])('%s --help has examples', async command => {
  const { code, stdout } = await runCli([command, '--help'])
  expect(stdout).toContain(`Examples:\n  $ eraserelu ${command}`)
  expect(code).toBe(0)
})

it('tells its version', async () => {
  expect((await runCli(['--version'])).stdout).toBe(`${packageVersion()}\n`)
})

it('says how to build an addon that is not there, and shows a stack trace when asked', async () => {
  const missing = { ERASERELU_ADDON: '/nowhere/eraserelu.node' }
  const { code, stderr } = await runCli(['start'], { env: missing })
  expect(code).toBe(1)
  expect(stderr).toContain("run 'npm run build:native'")
  expect(stderr).not.toMatch(/^\s+at /m)
  expect((await runCli(['start'], { env: { ...missing, ERASERELU_DEBUG: '1' } })).stderr).toMatch(/^\s+at /m)
})
