/** A small network learns 300 photographs from class folders, tar files and packed shards, by the command, as one does ImageNet. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { imageFolder } from '../../src/data/index.js'
import { runCli } from '../cli/run_cli.js'
import { writePhotographs } from '../data/photographs.js'
import { samplesOf, tarOf } from '../data/tar_files.js'

const temporary = mkdtempSync(join(tmpdir(), 'eraserelu-photographs-'))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))
const run = async (words: string) => {
  const { code, stdout, stderr } = await runCli(words.split(' '), { cwd: temporary })
  expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' })
  return stdout
}

beforeAll(async () => {
  await writePhotographs(join(temporary, 'folder'), { train: 50, val: 10 })
  mkdirSync(join(temporary, 'tars'))
  const { train, test } = await imageFolder(join(temporary, 'folder'))
  for (const [part, set] of Object.entries({ train, val: test! })) {
    const images = set.names.map((name, i) => ({ key: `${1000 + i}`, bytes: readFileSync(join(set.root, name)), label: set.labels[i]! })) // prettier-ignore
    writeFileSync(join(temporary, 'tars', `${part}.tar`), tarOf(samplesOf(images)))
  }
  await run('pack folder packed --shard-size 1')
})

it('to the same weights from each', async () => {
  const crops = '--train-crop-size 32 --val-crop-size 32 --val-resize-size 36 --workers 2'
  const network = '--model resnet20 --model-kwargs width=8 --erase last'
  const metrics: string[] = []
  for (const place of ['folder', 'tars', 'packed']) {
    const stdout = await run(
      `train ${network} --data-path ${place} ${crops} -b 20 --epochs 4 --lr 0.05 --output-dir run-${place}`,
    )
    expect(Number(/epoch 4\/4: test accuracy ([\d.]+) %/.exec(stdout)?.[1])).toBeGreaterThan(80)
    const [timing] = readFileSync(join(temporary, `run-${place}`, 'timing.jsonl'), 'utf8').split('\n')
    const { stepSeconds, dataSeconds } = JSON.parse(timing!) as { stepSeconds: number; dataSeconds: number }
    expect(stepSeconds).toBeGreaterThan(0)
    expect(dataSeconds).toBeGreaterThanOrEqual(0)
    metrics.push(readFileSync(join(temporary, `run-${place}`, 'metrics.jsonl'), 'utf8'))
  }
  const [first, ...others] = metrics
  for (const other of others) expect(other).toBe(first)
})
