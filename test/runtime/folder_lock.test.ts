/** The lock of a folder, under many that want it at once. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { holderOf, lockFolder } from '../../src/runtime/folder_lock.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))
const lock = () => lockFolder(folder, 'a.lock', 'writing into')

it.each([
  ['no lock', undefined],
  ['the lock of a process that has ended', () => `4000000 ${hostname()} 1 ${statSync(folder).ino}\n`],
  ['an empty lock', () => ''],
])('is given to one of many; before: %s', async (_, before) => {
  if (before) writeFileSync(join(folder, 'a.lock'), before())
  const all = await Promise.allSettled(Array.from({ length: 24 }, lock))
  const given = all.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  expect(given).toHaveLength(1)
  for (const result of all) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(InvalidArgument)
  expect(readdirSync(folder)).toEqual(['a.lock'])
  expect(await holderOf(folder, 'a.lock')).toBe(process.pid)
  await given[0]!()
  expect(readdirSync(folder)).toEqual([])
  await (
    await lock()
  )()
})

it('is not released by one that has lost it', async () => {
  const release = await lock()
  writeFileSync(join(folder, 'a.lock'), 'another')
  await release()
  expect(readdirSync(folder)).toEqual(['a.lock'])
})
