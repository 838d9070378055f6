/** Checkpoints: a training that was stopped goes on to the same bytes, and what stands in the way is said. */
import { appendFile, cp, mkdir, readdir, readFile, readlink, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { eraseReLU } from '../../src/erase.js'
import { adamw, sgd } from '../../src/optim/index.js'
import { InvalidArgument, NotFinite } from '../../src/runtime/errors.js'
import type { TrainingEvent } from '../../src/train/events.js'
import { Trainer, type TrainerOptions } from '../../src/train/trainer.js'
import { python } from '../python/python.js'
import { bytesOf, fitInto, network, newFolder, only, trainerOptions } from './run_folder.js'

interface PythonFile {
  metadata: Record<string, string>
  tensors: Record<string, [dtype: string, shape: number[], values: number[]]>
}

const read = async (file: string) => (await python('read_safetensors.py', file)) as PythonFile

const afterStep = (step: number) => (event: TrainingEvent) => event.type === 'step' && event.step >= step

/** A run of three epochs that was never interrupted. */
let whole: string
beforeAll(async () => {
  whole = await newFolder()
  await fitInto(whole, { keepCheckpoints: 10 })
})

const copyOfWhole = async () => {
  const folder = await newFolder()
  await cp(whole, folder, { recursive: true, verbatimSymlinks: true })
  return folder
}

describe('the run folder', () => {
  it('holds logs, checkpoints, links, curves and an event file', async () => {
    const names = await readdir(whole)
    expect(names.filter(name => !name.startsWith('events.')).sort()).toEqual(
      ['best', 'checkpoints', 'curves.png', 'curves.svg', 'last', 'metrics.jsonl', 'summary.csv', 'timing.jsonl'], // prettier-ignore
    )
    expect(names.filter(name => name.startsWith('events.out.tfevents.'))).toHaveLength(1)
    expect(await readdir(join(whole, 'checkpoints'))).toEqual(['step-12', 'step-18', 'step-6'])
    expect(await readdir(join(whole, 'last'))).toEqual(
      ['model.safetensors', 'model_ema.safetensors', 'optimizer.safetensors', 'state.json'], // prettier-ignore
    )
    expect(await readlink(join(whole, 'last'))).toBe(join('checkpoints', 'step-18'))
    const lines = (await readFile(join(whole, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(lines.map(line => (JSON.parse(line) as { step: number }).step)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1))
    expect(lines[0]).not.toMatch(/seconds|perSecond/i)
  })

  it('writes the settings as they are given', async () => {
    const folder = await newFolder()
    await fitInto(folder, { settings: { model: 'resnet8', lr: 0.05 } }, { until: afterStep(1) })
    expect(await readFile(join(folder, 'args.yaml'), 'utf8')).toBe('model: resnet8\nlr: 0.05\n')
  })

  it("is read by Python's safetensors", async () => {
    const { metadata, tensors } = await read(join(whole, 'last', 'model.safetensors'))
    expect(metadata).toMatchObject({ model: 'resnet8', layout: 'KRSC', step: '18', input: '16x16x3', num_classes: '4' })
    const model = network()
    expect(Object.keys(tensors).sort()).toEqual([...model.stateDict().keys()].sort())
    expect(tensors['layer2.0.conv1.weight']!.slice(0, 2)).toEqual(['float32', [32, 3, 3, 16]])
    const optimizer = await read(join(whole, 'last', 'optimizer.safetensors'))
    expect(optimizer.tensors['velocity.layer2.0.conv1.weight']!.slice(0, 2)).toEqual(['float32', [32, 3, 3, 16]])
    const [, , average] = (await read(join(whole, 'last', 'model_ema.safetensors'))).tensors['fc.bias']!
    await using trainer = new Trainer(model, trainerOptions())
    for await (const event of trainer.fit({ outputDir: await newFolder(), resume: whole }))
      expect(event.type).toMatch(/resume|end/)
    await trainer.writeBack('ema')
    expect(average).toEqual([...model.fc.bias!.data])
  })

  it('keeps the newest checkpoints and the best', async () => {
    const folder = await newFolder()
    const events = await fitInto(folder, { keepCheckpoints: 2, checkpointSeconds: 0 })
    const steps = only(events, 'checkpoint').map(({ step }) => step)
    expect(steps).toEqual(Array.from({ length: 18 }, (_, i) => i + 1))
    const best = await readlink(join(folder, 'best'))
    const kept = new Set(['step-17', 'step-18', best.split('/')[1]])
    expect(new Set(await readdir(join(folder, 'checkpoints')))).toEqual(kept)
  })
})

describe('stopped and resumed', () => {
  it.each([
    ['SGD with momentum, moving average', {}],
    ['SGD without momentum', { optimizer: sgd({ lr: 0.05 }) }],
    ['AdamW, accumulated, clipped', { optimizer: adamw({ lr: 1e-3 }), accumulate: 2, clipGradNorm: 0.5 }],
  ] as [string, Partial<TrainerOptions>][])('%s: the same bytes', async (_, options) => {
    const [straight, broken] = [await newFolder(), await newFolder()]
    await fitInto(straight, {}, options)
    for (const stop of [1, 4, 5, 6, 7]) await fitInto(broken, { resume: true }, { ...options, until: afterStep(stop) })
    const last = await fitInto(broken, { resume: true }, options)
    expect(only(last, 'resume')[0]).toMatchObject({ notes: [] })
    expect(await bytesOf(broken)).toEqual(await bytesOf(straight))
  })

  it('leaving the loop writes a checkpoint as well', async () => {
    const folder = await newFolder()
    await using trainer = new Trainer(network(), trainerOptions())
    for await (const event of trainer.fit({ outputDir: folder })) if (afterStep(9)(event)) break
    expect(await readlink(join(folder, 'last'))).toBe(join('checkpoints', 'step-9'))
    await fitInto(folder, { resume: true })
    expect(await bytesOf(folder)).toEqual(await bytesOf(whole))
  })

  it('cuts what the logs have of later steps, and an unfinished line', async () => {
    const folder = await newFolder()
    await fitInto(folder, {}, { until: afterStep(8) })
    for (const log of ['metrics.jsonl', 'timing.jsonl'])
      await appendFile(join(folder, log), '{"step":9,"epoch":2}\n{"step":10,"ep')
    await fitInto(folder, { resume: true })
    expect(await bytesOf(folder)).toEqual(await bytesOf(whole))
    const times = (await readFile(join(folder, 'timing.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(times.filter(line => !line.includes('trainingSeconds'))).toHaveLength(18)
  })

  it('a finished training resumes to its end', async () => {
    const folder = await copyOfWhole()
    const events = await fitInto(folder, { resume: true })
    expect(events.map(({ type }) => type)).toEqual(['resume', 'end'])
    expect(await bytesOf(folder)).toEqual(await bytesOf(whole))
  })

  it('without a checkpoint it starts afresh and says so', async () => {
    const folder = join(await newFolder(), 'new')
    const [resume] = only(await fitInto(folder, { resume: true }), 'resume')
    expect(resume).toMatchObject({ step: 0, checkpoint: undefined })
    expect(resume!.notes).toEqual([`${folder} has no checkpoint: the training starts afresh`])
    expect(await bytesOf(folder)).toEqual(await bytesOf(whole))
  })
})

async function changeLastByte(file: string): Promise<void> {
  const bytes = await readFile(file)
  bytes[bytes.length - 1]! ^= 1
  await writeFile(file, bytes)
}

describe('what a killed process leaves', () => {
  it('unfinished and half-replaced checkpoints are cleared up', async () => {
    const folder = await copyOfWhole()
    const at = (name: string) => join(folder, 'checkpoints', name)
    await mkdir(at('.writing-step-20'))
    await rename(at('step-18'), at('.replaced-step-18'))
    await rm(join(folder, 'last'))
    const [resume] = only(await fitInto(folder, { resume: true }), 'resume')
    expect(resume).toMatchObject({ step: 18, notes: [] })
    expect(await bytesOf(folder)).toEqual(await bytesOf(whole))
    expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-12', 'step-18', 'step-6'])
  })

  it.each([
    ['a changed byte', 'model.safetensors', changeLastByte, /its SHA-256 is not that/],
    ['a short file', 'optimizer.safetensors', (file: string) => truncate(file, 100), /it has 100 bytes, state.json says \d+/],
    ['a missing file', 'model_ema.safetensors', (file: string) => rm(file), /cannot be read/],
    ['no state', 'state.json', (file: string) => rm(file), /state.json is damaged: it cannot be read/],
    ['a broken state', 'state.json', (file: string) => writeFile(file, '{"format": 1'), /state.json is damaged/],
  ] as const)('%s: the checkpoint before is taken, and it is said why', async (_, name, damage, reason) => {
    const folder = await copyOfWhole()
    await damage(join(folder, 'last', name))
    const [resume] = only(await fitInto(folder, { resume: true }), 'resume')
    expect(resume).toMatchObject({ step: 12, epoch: 2, checkpoint: join(folder, 'checkpoints', 'step-12') })
    expect(resume!.notes[0]).toMatch(reason)
    expect(resume!.notes[1]).toMatch(/step-18 is damaged and was moved to .*damaged-step-18/)
    expect(await bytesOf(folder)).toEqual(await bytesOf(whole))
  })

  it('when all are damaged nothing is thrown away', async () => {
    const folder = await copyOfWhole()
    for (const step of [6, 12, 18]) await truncate(join(folder, 'checkpoints', `step-${step}`, 'state.json'), 3)
    await expect(fitInto(folder, { resume: true })).rejects.toThrow(/has no usable checkpoint\. .*step-18.*step-12.*step-6/)
    expect(await readFile(join(folder, 'metrics.jsonl'))).toEqual(await readFile(join(whole, 'metrics.jsonl')))
    expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-12', 'step-18', 'step-6'])
  })
})

describe('a checkpoint by its name', () => {
  it('is taken up in its own folder; what came after it is moved aside', async () => {
    const folder = await copyOfWhole()
    const [resume] = only(await fitInto(folder, { resume: join(folder, 'checkpoints', 'step-6') }), 'resume')
    expect(resume).toMatchObject({ step: 6, epoch: 1 })
    expect(resume!.notes).toHaveLength(2)
    expect(await bytesOf(folder)).toEqual(await bytesOf(whole))
  })

  it('through the link, or as a run folder, into a new folder', async () => {
    for (const from of [join(whole, 'best'), whole]) {
      const folder = await newFolder()
      const events = await fitInto(folder, { resume: from }, { epochs: 4 })
      const [resume] = only(events, 'resume')
      expect(resume!.notes).toEqual([])
      expect(resume!.changedSettings).toEqual(['epochs was 3, is 4'])
      expect(only(events, 'epoch').at(-1)).toMatchObject({ epoch: 4 })
    }
  })

  it('that is none is an error', async () => {
    const folder = await newFolder()
    await expect(fitInto(join(folder, 'a'), { resume: folder })).rejects.toThrow(/is neither a checkpoint .* nor a run folder/)
    await expect(fitInto(await copyOfWhole(), { resume: join(whole, 'last') })).rejects.toThrow(
      /holds a run; nothing was changed/,
    )
  })
})

describe('what does not fit is refused, and nothing is changed', () => {
  it.each([
    ['a run that is not resumed', {}, {}, /holds a run; nothing was changed\. Resume it/],
    [
      'another batch size',
      { resume: true },
      { batchSize: 16 },
      /an epoch had 6 steps, now it has 3\. Use the same data \(arrays\), batchSize \(8\)/,
    ],
    [
      'an optimizer with other state',
      { resume: true },
      { optimizer: adamw() },
      /does not fit this training: it has no tensor 'm\./,
    ],
  ] as const)('%s', async (_, fit, options, message) => {
    const folder = await copyOfWhole()
    const before = await bytesOf(folder)
    const attempt = fitInto(folder, fit, options)
    await expect(attempt).rejects.toThrow(message)
    await expect(attempt).rejects.toBeInstanceOf(InvalidArgument)
    expect(await bytesOf(folder)).toEqual(before)
    expect(await readdir(join(folder, 'checkpoints'))).toEqual(['step-12', 'step-18', 'step-6'])
  })

  it('a folder of other things', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'thesis.tex'), '')
    for (const resume of [false, true])
      await expect(fitInto(folder, { resume })).rejects.toThrow(/holds other files, such as thesis.tex; nothing was changed/)
    expect(await readdir(folder)).toEqual(['thesis.tex'])
  })

  it('options without a folder', async () => {
    await using trainer = new Trainer(network(), trainerOptions())
    await expect(trainer.fit({ resume: true }).next()).rejects.toThrow(/resume has no effect without outputDir/)
  })
})

it('other settings, other erased ReLUs and another machine are reported', async () => {
  const folder = await copyOfWhole()
  const file = join(folder, 'checkpoints', 'step-18', 'state.json')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(/"threads": \d+/, '"threads": 99').replace('"labelSmoothing": 0', '"labelSmoothing": 0.1'))
  const model = network()
  eraseReLU(model)
  await using trainer = new Trainer(model, trainerOptions())
  const notes: string[] = []
  for await (const event of trainer.fit({ outputDir: folder, resume: true }))
    if (event.type === 'resume') notes.push(...event.notes, ...event.changedSettings)
  expect(notes.join('\n')).toMatch(/labelSmoothing was 0.1, is 0/)
  expect(notes.join('\n')).toMatch(/erasedReLUs was none, is layer1.0.relu2/)
  expect(notes.join('\n')).toMatch(/threads was 99, is \d+: the bytes may differ/)
})

it('a loss that is not finite: the last good weights are in a checkpoint, and the message names layer, step and rate', async () => {
  const folder = await newFolder()
  const events: TrainingEvent[] = []
  await using trainer = new Trainer(network(), { ...trainerOptions(), schedule: ({ step }) => (step < 4 ? 1 : 1e30) })
  const attempt = (async () => {
    for await (const event of trainer.fit({ outputDir: folder })) events.push(event)
  })()
  await expect(attempt).rejects.toBeInstanceOf(NotFinite)
  await expect(attempt).rejects.toThrow(
    /step \d+ \(learning rate .*\): .*not finite.*(conv|bn|fc|layer).*The last good checkpoint is .*step-\d+\./s,
  )
  const saved = only(events, 'checkpoint').at(-1)!
  expect(saved).toMatchObject({ reason: 'not finite', step: only(events, 'step').at(-1)!.step })
  await using again = new Trainer(network(), trainerOptions())
  for await (const event of again.fit({ outputDir: folder, resume: true })) {
    expect(event).toMatchObject({ type: 'resume', step: saved.step, notes: [] })
    break
  }
})
