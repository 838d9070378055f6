import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import * as data from '../../src/data/index.js'
import { packageRoot } from '../../src/runtime/package_root.js'

const folder = join(packageRoot(), 'src/data/sample')
const originals = '/usr/share/datasets/fashion-mnist'

const countByClass = (labels: Int32Array) =>
  Array.from({ length: 10 }, (_, label) => labels.filter(each => each === label).length)

describe('fashion-mnist-sample', () => {
  it('is balanced, and of the shape of the original', async () => {
    const { name, train, test, mean, std, augment } = await data.open('fashion-mnist-sample')
    expect(name).toBe('fashion-mnist-sample')
    expect(countByClass(train.labels)).toEqual(Array(10).fill(600))
    expect(countByClass(test.labels)).toEqual(Array(10).fill(100))
    for (const part of [train, test]) {
      expect(part.shape).toEqual([28, 28, 1])
      expect(part.images.length).toBe(part.size * 28 * 28)
      expect(part.classNames?.length).toBe(part.numClasses)
    }
    // The whole training set has mean 0.2860 and standard deviation 0.3530.
    expect(mean[0]).toBeCloseTo(0.286, 2)
    expect(std[0]).toBeCloseTo(0.353, 2)
    expect(augment).toEqual({ pad: 2, padMode: 'zero', flip: true, cutout: 0, randomErasing: 0 })
  })

  it('takes at most 3 MB and carries its licence', () => {
    const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
    expect(bytes).toBeLessThan(3_000_000)
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toMatch(/MIT License[^]*Zalando SE/)
  })

  it('is what the script makes from the originals', context => {
    context.skip(!existsSync(originals), `${originals} is not there (Debian package dataset-fashion-mnist)`)
    const made = mkdtempSync(join(tmpdir(), 'eraserelu-sample-'))
    try {
      execFileSync(process.execPath, [join(packageRoot(), 'scripts/make_fashion_sample.mjs'), originals, made])
      for (const file of readdirSync(made)) {
        const [ours, shipped] = [made, folder].map(each => gunzipSync(readFileSync(join(each, file))))
        expect(ours!.equals(shipped!), file).toBe(true)
      }
      expect(readdirSync(made).length).toBe(4)
    } finally {
      rmSync(made, { recursive: true })
    }
  })
})

describe('open', () => {
  it('lists its names, and suggests one', async () => {
    expect(data.list()).toEqual(['fashion-mnist', 'fashion-mnist-sample', 'mnist', 'cifar10', 'cifar100', 'svhn', 'svhn-extra'])
    await expect(data.open('fashion-mist')).rejects.toThrow(
      /no data set 'fashion-mist'\. Did you mean 'fashion-mnist'.*Known: fashion-mnist, fashion-mnist-sample/,
    )
    await expect(data.open('toString')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('rejects an option it does not have', async () => {
    await expect(data.open('fashion-mnist', { datapath: '.' } as object)).rejects.toThrow(/'datapath'.*dataPath/)
  })
})
