import { expect, test } from 'vitest'
import * as optim from '../../src/optim/index.js'

const stepsPerEpoch = 10
const totalEpochs = 20

/** The factor after this many epochs. */
const at = (schedule: optim.Schedule, epoch: number) =>
  schedule({
    epoch,
    step: Math.round(epoch * stepsPerEpoch),
    totalSteps: totalEpochs * stepsPerEpoch,
    totalEpochs,
    stepsPerEpoch,
  })

test.each<[string, optim.Schedule, [epoch: number, factor: number][]]>([
  [
    'constant',
    optim.constant(),
    [
      [0, 1],
      [19, 1],
    ],
  ],
  [
    'multiStep',
    optim.multiStep([10, 15], 0.1),
    [
      [0, 1],
      [9.9, 1],
      [10, 0.1],
      [14.9, 0.1],
      [15, 0.01],
    ],
  ],
  [
    'step',
    optim.step(5, 0.5),
    [
      [0, 1],
      [4.9, 1],
      [5, 0.5],
      [19.9, 0.125],
    ],
  ],
  [
    'exponential',
    optim.exponential(0.9),
    [
      [0, 1],
      [1, 0.9],
      [2.5, 0.9 ** 2.5],
    ],
  ],
  [
    'cosine',
    optim.cosine(),
    [
      [0, 1],
      [10, 0.5],
      [20, 0],
    ],
  ],
  [
    'cosine to an end',
    optim.cosine({ end: 0.2 }),
    [
      [0, 1],
      [10, 0.6],
      [20, 0.2],
    ],
  ],
  [
    'poly',
    optim.poly(2),
    [
      [0, 1],
      [10, 0.25],
      [20, 0],
    ],
  ],
  [
    'warmup',
    optim.warmup(2, optim.multiStep([10]), { start: 0.1 }),
    [
      [0, 0.1],
      [1, 0.55],
      [2, 1],
      [10, 0.1],
    ],
  ],
  [
    'constant warmup',
    optim.warmup(1, optim.constant(), { start: 0.1, mode: 'constant' }),
    [
      [0, 0.1],
      [0.9, 0.1],
      [1, 1],
    ],
  ],
])('%s', (_, schedule, points) => {
  for (const [epoch, factor] of points) expect(at(schedule, epoch)).toBeCloseTo(factor, 12)
})

test.each<[() => unknown, RegExp]>([
  [() => optim.multiStep([10, 5]), /milestones\[1\] must be a number above 10, got 5/],
  [() => optim.multiStep(10 as unknown as number[]), /milestones must be a list of epochs, got 10/],
  [() => optim.multiStep([1], 0), /gamma must be a number in \(0, 1\], got 0/],
  [() => optim.step(0), /epochs must be an integer of at least 1/],
  [() => optim.cosine({ min: 0 } as object), /unknown option 'min'/],
  [() => optim.poly(-1), /power/],
  [() => optim.warmup(1, 0.1 as unknown as optim.Schedule), /second argument must be a schedule/],
  [() => optim.warmup(1, optim.constant(), { mode: 'linera' as 'linear' }), /got 'linera'. Did you mean 'linear'/],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
})
