/** Kill and resume on the simulated GPU: what `test/train/kill` does on the CPU. */
import { expect, test } from 'vitest'
import { cli } from '../../programs.js'
import { killAndResume } from '../../train/kill/kill_and_resume.js'
import { library } from './build.js'

test('a training that is killed leaves the same bytes as one that is not', async () => {
  process.env.ERASERELU_CUDA_LIBRARY = library
  const command = [process.execPath, cli] as const
  const size = { train: 16, t10k: 4, batchSize: 4, epochs: 2 }
  const { kills, trainings, differences } = await killAndResume({ command, kills: 3, seed: 5, device: 'cuda', size })
  expect(differences).toEqual([])
  expect(kills).toBe(3)
  expect(trainings).toBeGreaterThan(0)
}, 600_000)
