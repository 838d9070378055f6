/** Disks that are full and folders that may not be written: the training ends with a message, and the checkpoints before stay usable. */
import { spawn } from 'node:child_process'
import type * as fs from 'node:fs/promises'
import { readdir, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { OutputError } from '../../src/runtime/errors.js'
import type { TrainingEvent } from '../../src/train/events.js'
import { Trainer } from '../../src/train/trainer.js'
import { program } from '../programs.js'
import { bytesOf, fitInto, network, newFolder, only, trainerOptions } from './run_folder.js'

/** What the file system answers for such files, while it is set. */
let failing: { readonly code: string; readonly file: RegExp } | undefined

vi.mock('node:fs/promises', async importOriginal => {
  const original = await importOriginal<typeof fs>()
  const refuse = (file: unknown) => {
    if (failing?.file.test(String(file)))
      throw Object.assign(new Error(`${failing.code}: as the test wants it`), { code: failing.code })
  }
  return {
    ...original,
    async mkdir(...args: Parameters<typeof original.mkdir>) {
      refuse(args[0])
      return original.mkdir(...args)
    },
    async open(...args: Parameters<typeof original.open>) {
      const handle = await original.open(...args)
      const write = handle.writeFile.bind(handle)
      handle.writeFile = async (...given) => {
        refuse(args[0])
        return write(...given)
      }
      return handle
    },
  }
})

describe('a checkpoint that cannot be written', () => {
  it.each([
    [
      'ENOSPC',
      /optimizer\.safetensors$/,
      /step-12 could not be written: ENOSPC.*; [\d.]+ MB are free\. .*step-6 is complete: make room or permission, then resume/,
    ],
    ['EIO', /step-12\/state\.json$/, /step-12 could not be written: EIO.*step-6 is complete/],
  ] as const)('%s: leaves the one before, from which the training goes on to the same bytes', async (code, file, message) => {
    const [folder, straight] = [await newFolder(), await newFolder()]
    const atEpoch2 = (event: TrainingEvent) => {
      if (event.type === 'epoch' && event.epoch === 2) failing = { code, file }
      return false
    }
    const attempt = fitInto(folder, {}, { until: atEpoch2 }).finally(() => (failing = undefined))
    await expect(attempt).rejects.toBeInstanceOf(OutputError)
    await expect(attempt).rejects.toThrow(message)
    expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-6'])
    expect(await readlink(join(folder, 'last'))).toBe(join('checkpoints', 'step-6'))
    const [resume] = only(await fitInto(folder, { resume: true }), 'resume')
    expect(resume).toMatchObject({ step: 6, notes: [] })
    await fitInto(straight)
    expect(await bytesOf(folder)).toEqual(await bytesOf(straight))
  })
})

it('a file size limit of the shell, as a full disk: exit code 1, one message, the checkpoint before usable', async () => {
  const folder = await newFolder()
  const script = program('test/train/processes/fit_process.ts')
  await fitInto(folder, {}, { until: event => event.type === 'epoch' })
  const limited = await run('bash', ['-c', `ulimit -f 8; exec "$0" "${script}" "${folder}"`, process.execPath])
  expect(limited).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^OUTPUT_FAILED .*(EFBIG|file too large).*step-6 is complete/is) as string,
  })
  const free = await run(process.execPath, [script, folder])
  expect(free).toMatchObject({ code: 0, stdout: 'completed\n' })
  const straight = await newFolder()
  await fitInto(straight)
  expect(await bytesOf(folder)).toEqual(await bytesOf(straight))
})

it('a file system that is read-only', async () => {
  const folder = join(await newFolder(), 'run')
  failing = { code: 'EROFS', file: /run$/ }
  await using trainer = new Trainer(network(), trainerOptions())
  const attempt = trainer
    .fit({ outputDir: folder })
    .next()
    .finally(() => (failing = undefined))
  await expect(attempt).rejects.toThrow(/run could not be written: EROFS/)
  await expect(attempt).rejects.toBeInstanceOf(OutputError)
})

it('a folder where no folder can be made', async () => {
  await using trainer = new Trainer(network(), trainerOptions())
  await expect(trainer.fit({ outputDir: '/proc/self/run' }).next()).rejects.toThrow(
    /\/proc\/self\/run could not be written: ENOENT/,
  )
})

it('a folder whose name is a file', async () => {
  const file = join(await newFolder(), 'file')
  await using trainer = new Trainer(network(), trainerOptions())
  await writeFile(file, '')
  await expect(trainer.fit({ outputDir: join(file, 'run') }).next()).rejects.toThrow(/file\/run could not be written: ENOTDIR/)
})

function run(command: string, words: string[]): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text))
  return new Promise(resolve => child.on('close', code => resolve({ code, stdout })))
}
