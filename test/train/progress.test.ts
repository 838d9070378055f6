/** What a training shows on a terminal and in a log, on streams that remember what was written. */
import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CheckpointEvent, ResumeEvent, StepEvent } from '../../src/train/events.js'
import { progressOn, type Progress } from '../../src/train/progress.js'

const stepsPerEpoch = 100
const epochs = 4
const second = 1000

let progress: Progress
let written: string

function start(isTTY: boolean): void {
  written = ''
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      written += chunk.toString()
      done()
    },
  })
  progress = progressOn(Object.assign(stream, { isTTY, columns: 80 }) as unknown as NodeJS.WriteStream, { trainings: 1, epochs })
  progress.begin('resnet20', stepsPerEpoch)
}

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout'] }))
afterEach(() => {
  progress.end()
  vi.useRealTimers()
})

/** Steps that take a second each. */
function runSteps(first: number, last: number): void {
  for (let step = first; step <= last; step++) {
    vi.advanceTimersByTime(second)
    const epoch = Math.ceil(step / stepsPerEpoch)
    const place = { step, epoch, stepInEpoch: step - (epoch - 1) * stepsPerEpoch, stepsPerEpoch }
    const event: StepEvent = {
      type: 'step',
      skipped: false,
      lossScale: undefined,
      ...place,
      loss: 0.5,
      accuracy: 0.5,
      learningRate: 0.1,
      gradientNorm: 1,
      seconds: 1,
      dataSeconds: 0.25,
      imagesPerSecond: 64,
    }
    progress.event(event)
  }
}

const resumed: ResumeEvent = {
  type: 'resume',
  step: 250,
  epoch: 2,
  checkpoint: 'runs/a/checkpoints/step-250',
  notes: ['passed over: runs/a/checkpoints/step-300 is damaged', 'it was written with 8 threads, here are 2'],
  changedSettings: ['epochs was 3, is 4'],
}

const checkpoint = (reason: CheckpointEvent['reason']): CheckpointEvent => ({
  type: 'checkpoint',
  step: 260,
  epoch: 2,
  checkpoint: 'runs/a/checkpoints/step-260',
  reason,
  best: true,
  seconds: 0.1,
})

describe('in a log', () => {
  beforeEach(() => start(false))

  it('tells the time left of all steps', () => {
    runSteps(1, 5)
    expect(written).toBe('resnet20, epoch 1/4, step 5/100: loss 0.5000, 64 images/s, time 1.000 s, data 0.250 s, ETA 6:35\n')
  })

  it('says what was resumed, and leaves the steps that are not done again out of the time left', () => {
    progress.event(resumed)
    runSteps(251, 255)
    expect(written.split('\n')).toEqual([
      'Resuming from runs/a/checkpoints/step-250: step 250, 2 full epochs done.',
      'passed over: runs/a/checkpoints/step-300 is damaged',
      'it was written with 8 threads, here are 2',
      'epochs was 3, is 4',
      'resnet20, epoch 3/4, step 55/100: loss 0.5000, 64 images/s, time 1.000 s, data 0.250 s, ETA 2:25',
      '',
    ])
  })

  it('says why a training starts afresh', () => {
    const notes = ['runs/a has no checkpoint: the training starts afresh']
    progress.event({ type: 'resume', step: 0, epoch: 0, checkpoint: undefined, notes, changedSettings: [] })
    expect(written).toBe(`${notes[0]}\n`)
  })

  it('names the checkpoint of a training that was stopped, and no other', () => {
    for (const reason of ['epoch', 'time', 'not finite', 'stopped'] as const) progress.event(checkpoint(reason))
    expect(written).toBe('Checkpoint of step 260: runs/a/checkpoints/step-260\n')
  })
})

describe('on a terminal', () => {
  beforeEach(() => start(true))

  /** The last bar that was drawn. */
  const bar = () =>
    stripVTControlCharacters(written)
      .split(/[\r\n]+/)
      .findLast(line => line.includes('ETA'))

  it('starts the bar at the step and epoch that were resumed', () => {
    progress.event(resumed)
    vi.advanceTimersByTime(second)
    expect(written).toContain('Resuming from runs/a/checkpoints/step-250')
    expect(bar()).toMatch(/resnet20 .* 62% {2}epoch 3\/4 {2}loss - /)
  })

  it('goes on from there', () => {
    progress.event(resumed)
    runSteps(251, 300)
    progress.end()
    expect(bar()).toMatch(/resnet20 .* 75% {2}epoch 3\/4 {2}loss 0\.500 {2}64 images\/s {2}ETA 1:40/)
  })
})
