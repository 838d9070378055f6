/** A few kills; `npm run test:kill` makes hundreds and keeps the result in docs/results/kill_and_resume.json. */
import { expect, it } from 'vitest'
import { cli } from '../../programs.js'
import { killAndResume } from './kill_and_resume.js'

it('a training that is killed again and again leaves the same bytes as one that is not', async () => {
  const command = [process.execPath, cli] as const
  const { kills, trainings, differences } = await killAndResume({ command, kills: 6, seed: 11 })
  expect(differences).toEqual([])
  expect(kills).toBe(6)
  expect(trainings).toBeGreaterThan(0)
})
