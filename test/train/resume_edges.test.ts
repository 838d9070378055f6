/** Runs that are not the plain case: two on one folder, streams, without test images, ends by errors, from another run. */
import { cp, mkdir, readdir, readFile, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromBatches, type BatchStreamOptions } from '../../src/data/index.js'
import { adamw, ema, sgd } from '../../src/optim/index.js'
import { Disposed, InvalidArgument } from '../../src/runtime/errors.js'
import type { TrainingEvent } from '../../src/train/events.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import { bytesOf, fitInto, network, newFolder, only, trainerOptions } from './run_folder.js'
import { pictures, source } from './training.js'

const afterStep = (step: number) => (event: TrainingEvent) => event.type === 'step' && event.step >= step

/** Batches of 8 images that only depend on the epoch; opened again when a training resumes. */
const stream = (other: Partial<BatchStreamOptions> = {}) =>
  fromBatches({
    shape: [16, 16, 3],
    numClasses: 4,
    batchesPerEpoch: 6,
    // eslint-disable-next-line @typescript-eslint/require-await
    async *train(epoch) {
      for (let batch = 0; batch < 6; batch++) yield pictures(8, [16, 16, 3], 4, 1 + epoch * 6 + batch)
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    async *test() {
      yield pictures(8, [16, 16, 3], 4, 99)
    },
    ...other,
  })

it.each([
  ['a stream, resumed in the middle of an epoch', { data: stream() }],
  ['a stream, accumulated', { data: stream(), accumulate: 3 }],
  ['AdamW with a moving average', { optimizer: adamw({ lr: 1e-3, weightDecay: 0.1 }), ema: ema(0.5) }],
] as [string, Partial<TrainerOptions>][])('%s: the same bytes', async (_, options) => {
  const [straight, broken] = [await newFolder(), await newFolder()]
  await fitInto(straight, { keepCheckpoints: 1 }, options)
  for (const stop of [1, 2, 4])
    await fitInto(broken, { resume: true, keepCheckpoints: 1 }, { ...options, until: afterStep(stop) })
  await fitInto(broken, { resume: true, keepCheckpoints: 1 }, options)
  expect(await bytesOf(broken)).toEqual(await bytesOf(straight))
})

it('without test images there is no best, and what was trained is resumed', async () => {
  const [straight, broken] = [await newFolder(), await newFolder()]
  const options = { data: source(48) }
  await fitInto(straight, {}, options)
  await fitInto(broken, {}, { ...options, until: afterStep(8) })
  await fitInto(broken, { resume: true }, options)
  expect(await readdir(straight)).not.toContain('best')
  for (const file of ['metrics.jsonl', 'summary.csv', 'last/model.safetensors', 'last/state.json'])
    expect(await readFile(join(broken, file))).toEqual(await readFile(join(straight, file)))
})

it('a test result that is no number leaves the checkpoints readable', async () => {
  const folder = await newFolder()
  const nothing = stream({
    // eslint-disable-next-line @typescript-eslint/require-await
    async *test() {
      yield { images: new Uint8Array(8 * 16 * 16 * 3), labels: new Int32Array(8).fill(-1) }
    },
  })
  await fitInto(folder, {}, { data: nothing, epochs: 1 })
  const [resume] = only(await fitInto(folder, { resume: true }, { data: nothing, epochs: 1 }), 'resume')
  expect(resume).toMatchObject({ step: 6, notes: [] })
})

describe('two trainings on one folder', () => {
  it('the second is refused while the first is there, and may resume after it', async () => {
    const folder = await newFolder()
    await using first = new Trainer(network(), trainerOptions())
    for await (const event of first.fit({ outputDir: folder })) {
      if (!afterStep(2)(event)) continue
      await expect(fitInto(folder, { resume: true })).rejects.toThrow(/this process is training into .*: wait for it to end/)
      break
    }
    const [resume] = only(await fitInto(folder, { resume: true }), 'resume')
    expect(resume).toMatchObject({ step: 2 })
    expect(await readdir(folder)).not.toContain('run.lock')
  })

  it('a lock is void when its process has ended, also where another has its number', async () => {
    const folder = await newFolder()
    for (const words of ['4000000 here 1', `${process.pid} ${hostname()} 1 ${(await stat(folder)).ino}`, ''] as const) {
      await writeFile(join(folder, 'run.lock'), `${words}\n`)
      await fitInto(folder, { resume: true }, { until: afterStep(1) })
    }
    // Of a process that was killed while it took the lock, in a folder with nothing else.
    const fresh = await newFolder()
    await writeFile(join(fresh, 'run.lock.4000000.0'), '4000000 here 1\n')
    await fitInto(fresh, {}, { until: afterStep(1) })
    const parent = (await readFile(`/proc/${process.ppid}/stat`, 'utf8')).split(') ').at(-1)!.split(' ')[19]!
    await writeFile(join(folder, 'run.lock'), `${process.ppid} ${hostname()} ${parent} ${(await stat(folder)).ino}\n`)
    await expect(fitInto(folder, { resume: true })).rejects.toThrow(`process ${process.ppid} is training into ${folder}`)
  })
})

describe('from a checkpoint of another run', () => {
  it('is a run of its own from the first moment', async () => {
    const [from, folder] = [await newFolder(), await newFolder()]
    await fitInto(from, {}, { until: afterStep(4) })
    await using trainer = new Trainer(network(), trainerOptions())
    for await (const event of trainer.fit({ outputDir: folder, resume: from })) {
      expect(event.type).toBe('resume')
      const killed = await newFolder()
      await cp(folder, killed, { recursive: true, verbatimSymlinks: true })
      const [resume] = only(await fitInto(killed, { resume: true }, { until: afterStep(5) }), 'resume')
      expect(resume).toMatchObject({ step: 4, checkpoint: join(killed, 'checkpoints', 'step-4') })
      break
    }
  })
})

describe('what a user may have done to the folder', () => {
  it('files beside the run do not hinder it', async () => {
    const folder = await newFolder()
    await fitInto(folder, {}, { until: afterStep(2) })
    await writeFile(join(folder, 'train.log'), 'mine')
    const [resume] = only(await fitInto(folder, { resume: true }, { until: afterStep(3) }), 'resume')
    expect(resume).toMatchObject({ step: 2 })
    expect(await readFile(join(folder, 'train.log'), 'utf8')).toBe('mine')
  })

  it('logs of epochs whose checkpoints were removed are not emptied', async () => {
    const folder = await newFolder()
    await fitInto(folder)
    await rm(join(folder, 'checkpoints'), { recursive: true })
    const before = await readFile(join(folder, 'metrics.jsonl'))
    await expect(fitInto(folder, { resume: true })).rejects.toThrow(/summary.csv tells of 3 epochs; nothing was changed/)
    expect(await readFile(join(folder, 'metrics.jsonl'))).toEqual(before)
  })

  it('a log that has become shorter is told', async () => {
    const folder = await newFolder()
    await fitInto(folder, {}, { until: afterStep(3) })
    await truncate(join(folder, 'metrics.jsonl'), 10)
    const [resume] = only(await fitInto(folder, { resume: true }, { until: afterStep(4) }), 'resume')
    expect(resume!.notes).toEqual([expect.stringMatching(/metrics.jsonl is shorter than .*lines are missing/) as string])
  })

  it('a checkpoint of a newer version is not taken for damaged', async () => {
    const folder = await newFolder()
    await fitInto(folder, {}, { until: afterStep(2) })
    const file = join(folder, 'last', 'state.json')
    await writeFile(file, (await readFile(file, 'utf8')).replace('"format": 1', '"format": 2'))
    await expect(fitInto(folder, { resume: true })).rejects.toThrow(/was written by a newer version \(format 2/)
    expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-2'])
  })

  it('a link to a checkpoint that is gone is removed', async () => {
    const folder = await newFolder()
    await fitInto(folder, { keepCheckpoints: 10 })
    const best = (await readlink(join(folder, 'best'))).split('/')[1]!
    await rm(join(folder, 'checkpoints', best), { recursive: true })
    await fitInto(folder, { resume: true }, { until: event => event.type === 'resume' })
    for (const link of await readdir(folder)) if (link === 'best' || link === 'last') await stat(join(folder, link))
  })
})

describe('ends', () => {
  it.each(['an error in the stream', 'an error thrown into the loop'])('%s: the last state is in a checkpoint', async how => {
    const folder = await newFolder()
    const failing = stream({
      // eslint-disable-next-line @typescript-eslint/require-await
      async *train(epoch) {
        for (let batch = 0; batch < 6; batch++) {
          if (how === 'an error in the stream' && batch === 3) throw new Error('the disk of the images is gone')
          yield pictures(8, [16, 16, 3], 4, 1 + epoch * 6 + batch)
        }
      },
    })
    await using trainer = new Trainer(network(), { ...trainerOptions(), data: failing })
    const events = trainer.fit({ outputDir: folder })
    const attempt = (async () => {
      for (let step = 0; ; step++) {
        const { done } = step === 3 ? await events.throw(new Error('the disk of the images is gone')) : await events.next()
        if (done) return
      }
    })()
    await attempt.catch(() => undefined)
    await events.next()
    expect(await readlink(join(folder, 'last'))).toBe(join('checkpoints', 'step-3'))
    expect((await readFile(join(folder, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(3)
  })

  it('a trainer disposed of in the loop leaves its logs', async () => {
    const folder = await newFolder()
    const trainer = new Trainer(network(), trainerOptions())
    const attempt = (async () => {
      for await (const event of trainer.fit({ outputDir: folder })) if (afterStep(2)(event)) await trainer.dispose()
    })()
    await expect(attempt).rejects.toBeInstanceOf(Disposed)
    expect((await readFile(join(folder, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(2)
  })

  it('a loss that is not finite and a checkpoint that cannot be written: both are told', async () => {
    const folder = await newFolder()
    await using trainer = new Trainer(network(), { ...trainerOptions(), schedule: ({ step }) => (step < 2 ? 1 : 1e30) })
    const attempt = (async () => {
      for await (const event of trainer.fit({ outputDir: folder })) {
        if (!afterStep(1)(event)) continue
        await rm(join(folder, 'checkpoints'), { recursive: true, force: true })
        await writeFile(join(folder, 'checkpoints'), 'a file')
      }
    })()
    await expect(attempt).rejects.toThrow(/not finite.*could not be written: (ENOTDIR|EEXIST).*There is no checkpoint yet/s)
  })
})

it('what was frozen is a setting: a change is told, and the way back is explained', async () => {
  const folder = await newFolder()
  await fitInto(folder, {}, { until: afterStep(2), optimizer: sgd({ lr: 0.01, momentum: 0.9 }) })
  const model = network()
  model.layer1.freeze()
  await using trainer = new Trainer(model, { ...trainerOptions(), optimizer: sgd({ lr: 0.01, momentum: 0.9 }) })
  const changes: string[] = []
  for await (const event of trainer.fit({ outputDir: folder, resume: true })) {
    if (event.type === 'resume') changes.push(...event.changedSettings)
    if (afterStep(3)(event)) break
  }
  expect(changes).toEqual([expect.stringMatching(/^frozen was none, is layer1\.0\.conv1\.weight /) as string])
  const back = fitInto(folder, { resume: true }, { optimizer: sgd({ lr: 0.01, momentum: 0.9 }) })
  await expect(back).rejects.toThrow(
    /no tensor 'velocity\.layer1\.0\.conv1\.weight'\. The optimizer is another one, or the parameter was frozen/,
  )
  await expect(back).rejects.toBeInstanceOf(InvalidArgument)
})

it('an empty folder of checkpoints is no run yet', async () => {
  const folder = await newFolder()
  await mkdir(join(folder, 'checkpoints'))
  await fitInto(folder, {}, { until: afterStep(1) })
  expect(await readlink(join(folder, 'last'))).toBe(join('checkpoints', 'step-1'))
})
