import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fashionMnist } from '../../src/data/fashion_mnist.js'
import { find } from '../../src/data/find.js'
import * as data from '../../src/data/index.js'
import { mnist } from '../../src/data/mnist.js'
import { fourFiles, writeFiles } from './idx_files.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eraserelu-mnist-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('reads the four files; digits are not mirrored', async () => {
  const source = await data.open('mnist', { dataPath: writeFiles(folder, fourFiles(20, 10)) })
  expect([source.name, source.train.size, source.test.size]).toEqual(['mnist', 20, 10])
  expect(source.train.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  expect(source.augment.flip).toBe(false)
})

it('takes the files of MNIST and Fashion-MNIST, which have the same names, from folders of $ERASERELU_DATA that tell them apart', async () => {
  const env = { ERASERELU_DATA: writeFiles(folder, fourFiles(2, 1)), XDG_CACHE_HOME: join(folder, 'cache') }
  const elsewhere = { ...fashionMnist, system: { folder: join(folder, 'none'), remedy: 'install it' } }
  for (const set of [mnist, elsewhere])
    await expect(find(set, { download: false }, { env })).rejects.toThrow(`${folder}: none of the files`)
  const raw = writeFiles(join(folder, 'MNIST/raw'), fourFiles(2, 1))
  expect((await find(mnist, {}, { env })).folder).toBe(raw)
})
