/** Commands whose output nobody can take any more: the reader is gone, the disk is full, the terminal was closed. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { cli } from '../programs.js'
import { fewImages } from './few_images.js'

let root: string
let training: string[]

function start(command: string, words: readonly string[], stdout: 'pipe' | number = 'pipe'): ChildProcess {
  const stdio: StdioOptions = ['ignore', stdout, 'pipe']
  return spawn(command, words, { cwd: root, stdio })
}

/** Its exit code and what it wrote to stderr. */
async function end(child: ChildProcess): Promise<[number | null, string]> {
  let stderr = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  return [code, stderr]
}

/** Calls back, once, with what was printed so far as soon as it matches. */
function once(child: ChildProcess, text: RegExp, then: (printed: string) => void): void {
  let printed = ''
  let called = false
  child.stdout!.setEncoding('utf8').on('data', (more: string) => {
    printed += more
    if (called || !text.test(printed)) return
    called = true
    then(printed)
  })
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'eraserelu-output-'))
  const images = await fewImages(join(root, 'images'), { train: 256, t10k: 100 })
  training = [cli, 'train', '--dataset', 'fashion-mnist', '--data-path', images, '--model-kwargs', 'width=4', '--epochs', '8']
})

it('a reader that goes away ends a command quietly', async () => {
  const child = start(process.execPath, [cli, 'info', 'resnet20'])
  child.stdout!.destroy()
  expect(await end(child)).toEqual([141, ''])
})

it('a reader that goes away stops a training, with a checkpoint', async () => {
  const child = start(process.execPath, [...training, '--output-dir', 'unread'])
  once(child, /epoch 1\/8: test/, () => child.stdout!.destroy())
  expect(await end(child)).toEqual([141, ''])
  expect(existsSync(join(root, 'unread', 'last', 'model.safetensors'))).toBe(true)
  expect(existsSync(join(root, 'unread', 'checkpoints', 'step-32'))).toBe(false)
})

it('a full disk behind stdout is told on stderr, without a stack trace', async () => {
  const child = start(process.execPath, [cli, 'info', 'resnet20'], openSync('/dev/full', 'w'))
  expect(await end(child)).toEqual([1, expect.stringMatching(/^error: stdout cannot be written: ENOSPC[^\n]*\n$/)])
})

it('a terminal that is closed stops a training, with a checkpoint', async () => {
  const command = ['echo "process $$;"; exec', process.execPath, ...training, '--output-dir', 'closed'].join(' ')
  const child = start('script', ['-qec', command, '/dev/null'])
  once(child, /epoch 1\/8: test/, printed => process.kill(Number(/process (\d+);/.exec(printed)![1]), 'SIGHUP'))
  expect((await end(child))[0]).toBe(129)
  expect(existsSync(join(root, 'closed', 'last', 'model.safetensors'))).toBe(true)
  expect(existsSync(join(root, 'closed', 'checkpoints', 'step-32'))).toBe(false)
})

it('without a terminal, as with nohup, a hang-up stops nothing', async () => {
  const child = start(process.execPath, [...training, '--output-dir', 'nohup'])
  once(child, /epoch 1\/8: test/, () => child.kill('SIGHUP'))
  expect(await end(child)).toEqual([0, ''])
  expect(existsSync(join(root, 'nohup', 'checkpoints', 'step-32'))).toBe(true)
})
