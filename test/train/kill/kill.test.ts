/** A few kills; `npm run test:kill` makes hundreds and keeps the result in docs/results/kill_and_resume.json. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { packageRoot } from '../../../src/runtime/package_root.js'
import { killAndResume } from './kill_and_resume.js'

it('a training that is killed again and again leaves the same bytes as one that is not', async () => {
  const tsx = fileURLToPath(import.meta.resolve('tsx'))
  const command = [process.execPath, '--import', tsx, join(packageRoot(), 'src/cli/main.ts')] as const
  const { kills, trainings, differences } = await killAndResume({ command, kills: 6, seed: 11 })
  expect(differences).toEqual([])
  expect(kills).toBe(6)
  expect(trainings).toBeGreaterThan(0)
})
