import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { prepareOutputFolder } from '../../src/train/output_folder.js'

const options = { command: 'start', names: ['summary.json', 'baseline'], replace: true }
let folder: string

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'eraserelu-output-')), 'runs', 'start')
})

async function fill(summary: string): Promise<void> {
  await mkdir(join(folder, 'baseline'), { recursive: true })
  await writeFile(join(folder, 'baseline', 'args.yaml'), '')
  await writeFile(join(folder, 'summary.json'), summary)
  await writeFile(join(folder, 'notes.txt'), 'mine')
}

it('makes the folder', async () => {
  expect(await prepareOutputFolder(folder, options)).toBe(false)
  expect(await readdir(folder)).toEqual([])
})

it('removes the results of an earlier run, and nothing else', async () => {
  await fill('{"command":"start"}')
  expect(await prepareOutputFolder(folder, options)).toBe(true)
  expect(await readdir(folder)).toEqual(['notes.txt'])
})

it.each([
  ['results of another command', '{"command":"train"}', true, /holds no results of 'start'/],
  ['a damaged summary', '{', true, /holds no results of 'start'/],
  ['results that may not be replaced', '{"command":"start"}', false, /holds the results of an earlier 'start'/],
])('refuses %s', async (_, summary, replace, message) => {
  await fill(summary)
  await expect(prepareOutputFolder(folder, { ...options, replace })).rejects.toThrow(message)
  expect((await readdir(folder)).length).toBe(3)
})
