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
    'constant factor',
    optim.constant(0.3),
    [
      [0, 0.3],
      [19, 0.3],
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
  [
    'sequence: each piece counts from its own start, the last goes on at its end',
    optim.sequence([
      [4, optim.warmup(2, optim.constant(), { start: 0.5 })],
      [8, optim.cosine({ end: 0.2 })],
      [4, optim.chain(optim.constant(0.2), optim.step(2, 0.5))],
    ]),
    [
      [0, 0.5],
      [1, 0.75],
      [3.9, 1],
      [4, 1],
      [8, 0.6],
      [11.9, 0.6 + 0.4 * Math.cos((Math.PI * 79) / 80)],
      [12, 0.2],
      [13.9, 0.2],
      [14, 0.1],
      [16, 0.05],
      [19, 0.05],
    ],
  ],
  [
    'sequence in a sequence',
    optim.sequence([
      [10, optim.sequence([[5, optim.constant(0.1)], [5, optim.poly()]])],
      [10, optim.exponential(0.5)],
    ]), // prettier-ignore
    [
      [4.9, 0.1],
      [5, 1],
      [9, 0.2],
      [10, 1],
      [12, 0.25],
    ],
  ],
  [
    'chain',
    optim.chain(optim.multiStep([10], 0.1), optim.exponential(0.9), optim.constant(0.5)),
    [
      [0, 0.5],
      [2, 0.405],
      [10, 0.05 * 0.9 ** 10],
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
  [() => optim.constant(-1), /optim\.constant: factor must be a number of at least 0, got -1/],
  [() => optim.sequence([]), /pieces must hold at least one/],
  [() => optim.sequence([5, optim.cosine()] as never), /pieces\[0\] must be a list of \[epochs, schedule\], got 5/],
  [() => optim.sequence([[0, optim.cosine()]]), /pieces\[0\]\[0\] must be an integer of at least 1, got 0/],
  [() => optim.sequence([[5, 0.1 as never]]), /pieces\[0\]\[1\] must be a schedule/],
  [() => optim.chain(optim.cosine(), 0.1 as never), /optim\.chain: argument 2 must be a schedule/],
  [() => optim.warmup(1, 0.1 as unknown as optim.Schedule), /second argument must be a schedule/],
  [() => optim.warmup(1, optim.constant(), { mode: 'linera' as 'linear' }), /got 'linera'. Did you mean 'linear'/],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
})
