/**
 * The simulated GPU itself: builds its C++ test programs and runs them, forward, backward and in three shuffled orders.
 * Each C++ case is a test here and fails with the case's own message.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { build } from './build.js'

const programs = readdirSync(build).filter(name => name.startsWith('test_'))
const orders = ['0', '1', '2', '3', '4']

interface Result {
  name: string
  message: string
}

function run(program: string, order: string): Result[] {
  const { stdout, stderr, status } = spawnSync(join(build, program), {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, SIM_ORDER: order },
  })
  if (status !== 0 && status !== 1) throw new Error(`${program} ended with ${status}: ${stderr}`)
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Result)
}

describe.each(programs)('%s', program => {
  describe.each(orders)('SIM_ORDER=%s', order => {
    test.each(run(program, order))('$name', ({ message }) => expect(message).toBe(''))
  })
})
