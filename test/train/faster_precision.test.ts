/** Which of f32 and bf16 is faster: measured once, kept, and found again. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type * as os from 'node:os'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { InvalidArgument } from '../../src/runtime/errors.js'
import { fasterPrecision } from '../../src/train/faster_precision.js'
import { missingType } from '../native/helpers.js'

vi.mock('node:os', async original => {
  const module = await original<typeof os>()
  return { ...module, homedir: vi.fn(module.homedir) }
})

let cache: string
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'faster-'))
  vi.stubEnv('ERASERELU_CACHE', cache)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(cache, { recursive: true })
})

const missing = missingType('cpu', 'bf16')

test.skipIf(missing !== undefined)(
  `is measured, kept in the cache and read from there${missing ? `: ${missing}` : ''}`,
  async () => {
    const { precision, ratio, file: path } = await fasterPrecision()
    expect(ratio).toBeGreaterThan(0)
    expect(precision).toBe(ratio! < 0.95 ? 'bf16' : 'f32')
    const folder = join(cache, 'precision')
    const [file, ...others] = await readdir(folder)
    expect(others).toEqual([])
    expect(path).toBe(join(folder, file!))
    expect(JSON.parse(await readFile(join(folder, file!), 'utf8'))).toEqual({ ratio })

    for (const [kept, faster] of [
      [1.87, 'f32'],
      [0.97, 'f32'],
      [0.5, 'bf16'],
    ] as const) {
      await writeFile(join(folder, file!), JSON.stringify({ ratio: kept }))
      expect(await fasterPrecision()).toEqual({ precision: faster, ratio: kept, file: path })
    }
    await writeFile(join(folder, file!), 'cut o')
    expect((await fasterPrecision()).ratio).not.toBe(0.5)
    expect(JSON.parse(await readFile(join(folder, file!), 'utf8'))).toHaveProperty('ratio')
  },
)

test('is f32 where there is nothing to choose from; an unknown device is refused', async () => {
  expect(await fasterPrecision('reference')).toEqual({ precision: 'f32', ratio: undefined, file: undefined })
  expect(await readdir(cache)).toEqual([])
  await expect(fasterPrecision('gpu')).rejects.toThrow(InvalidArgument)
})

test.skipIf(missing !== undefined)(
  `is measured and not kept where there is no home${missing ? `: ${missing}` : ''}`,
  async () => {
    for (const name of ['ERASERELU_CACHE', 'XDG_CACHE_HOME']) vi.stubEnv(name, '')
    vi.mocked(homedir).mockImplementationOnce(() => {
      throw new Error('no home')
    })
    const { ratio, file } = await fasterPrecision()
    expect(ratio).toBeGreaterThan(0)
    expect(file).toBeUndefined()
  },
)
