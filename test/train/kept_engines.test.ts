/** engines.json of a run folder: what it holds comes back, and what is not as it was written is named. */
import { mkdtemp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readEngines, writeEngines } from '../../src/train/kept_engines.js'

const engines = { 'conv2d x[2,5,5,8]f32@16 stride[1,1]': 'eng5_k2=1', 'conv2dBwdData dy[2,5,5,8]f32@16': 'eng12' }

async function runFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'eraserelu-engines-'))
  await mkdir(join(folder, 'checkpoints', 'step-3'), { recursive: true })
  await symlink(join('checkpoints', 'step-3'), join(folder, 'last'))
  await writeEngines(folder, engines)
  return folder
}

test.each(['', 'checkpoints/step-3', 'last'])('are found by the run folder and by its checkpoints: %j', async source => {
  expect(await readEngines(join(await runFolder(), source))).toEqual({ engines, notes: [] })
})

test('a run without the file says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eraserelu-engines-'))
  const notes = [`there is no ${join(folder, 'engines.json')}: engines are chosen anew`]
  expect(await readEngines(folder)).toEqual({ engines: {}, notes })
})

describe('a file that is damaged is named', () => {
  test.each([
    ['cut short', (text: string) => text.slice(0, 90)],
    ['another engine', (text: string) => text.replace('eng12', 'eng13')],
    ['of another format', (text: string) => text.replace('"format": 1', '"format": 2')],
  ])('%s', async (_, damage) => {
    const folder = await runFolder()
    const file = join(folder, 'engines.json')
    const text = await readFile(file, 'utf8')
    expect(damage(text)).not.toBe(text)
    await writeFile(file, damage(text))
    expect(await readEngines(folder)).toEqual({ engines: {}, notes: [`${file} is damaged: engines are chosen anew`] })
  })
})
