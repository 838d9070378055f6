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
  ['start --model resnet21', /--model must be one of .*got 'resnet21'. Did you mean 'resnet20'/],
  ['start --dataset fashion-mnsit', /Did you mean 'fashion-mnist'/],
  ['start --device gpu', /--device must be one of cpu/],
  ['start --data-path /tmp', /--data-path is for --dataset fashion-mnist/],
  ['start --dataset fashion-mnist --data-path /nowhere', /was not found. Looked at:\n {2}\/nowhere: no such folder/],
  ['start --erase 5', /no basic module has a ReLU at location 5: the longest chain has 2 ReLUs/],
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
  expect(stdout).toContain('start [options]')
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
