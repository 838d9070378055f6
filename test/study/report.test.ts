/** Results, report and figures of a made-up study whose numbers are worked by hand. */
import { expect, it } from 'vitest'
import { htmlOf, markdownOf } from '../../src/study/document.js'
import { figuresOf } from '../../src/study/figures.js'
import { armsOf, runsOf, type Arm, type Run } from '../../src/study/matrix.js'
import { reportOf, type StudyResults } from '../../src/study/report.js'
import { armResults, compareEnvironments, type ArmFacts, type Environment, type RunResult } from '../../src/study/results.js'

const arms = armsOf([{ models: ['tiny'], locations: ['first', 'last'], proportions: [0, 1] }])
const seeds = [1, 2, 3]
const facts = new Map<Arm, ArmFacts>(arms.map(arm => [arm, { relus: { total: 3, kept: 2, erased: 1 }, parameters: 10 }]))

/** Percent of the last epoch by arm and seed. */
const accuracy: Record<string, number[]> = {
  'tiny-baseline': [80, 81, 82],
  'tiny-first-100': [70, 85, 76],
  'tiny-last-100': [81, 82.2, 82.8],
}

const layer = (place: number, value: number) => ({ layer: `layer${place}`, place, value })
const result = ({ arm, seed }: Run): Omit<RunResult, 'seed'> => ({
  epochs: [1, 2].map(epoch => ({
    epoch,
    trainLoss: 1 / epoch,
    trainAccuracy: 0.5,
    testLoss: 2 / epoch + seed / 10,
    testAccuracy: (accuracy[arm.id]![seed - 1]! / 100 / 2) * epoch,
  })),
  layers: {
    gradientsBefore: [layer(1, 0.1 * seed), layer(2, 0.01)],
    gradientsAfter: [layer(1, 0.2), layer(2, 0.3)],
    active: [layer(1, 0.5), layer(3, 0.4)],
  },
})
const finished = new Map(runsOf(arms, seeds).map(run => [run, result(run)]))
const of = (which = finished) => armResults(arms, facts, which)

const results = (): StudyResults => ({
  command: 'eraserelu reproduce', dataset: { name: 'made <up>', train: 100, test: 10 }, seeds, settings: {}, finishedRuns: 9, allRuns: 9,
  failedRuns: [], arms: of(), environment: { eraserelu: '0' }, mixed: {},
}) // prettier-ignore

it('pairs by seed, and only what is finished', () => {
  const [baseline, , last] = of()
  const { count, mean: middle, deviation } = baseline!.final.testAccuracy!
  expect([count, ...[middle, deviation!].map(value => +value.toFixed(10))]).toEqual([3, 0.81, 0.01])
  expect(baseline!.difference).toEqual({})
  // 1, 1.2 and 0.8: mean 1, deviation 0.2, t 4.3027.
  const { mean, interval } = last!.difference.testAccuracy!
  expect([mean, ...interval!].map(value => +(100 * value).toFixed(4))).toEqual([1, 0.5032, 1.4968])
  const partial = new Map([...finished].filter(([run]) => !(run.arm.id === 'tiny-baseline' && run.seed === 2)))
  const pairs = of(partial)[2]!
  expect([pairs.final.testAccuracy!.count, pairs.difference.testAccuracy!.count]).toEqual([3, 2])
  expect(pairs.difference.testAccuracy!.mean).toBeCloseTo(0.009, 10)
})

it('a run that went astray has no mean', () => {
  const [run] = finished.keys()
  const broken = new Map(finished).set(run!, { epochs: [{ epoch: 1, trainLoss: NaN }], layers: undefined })
  expect(of(broken)[0]!.final).toEqual({})
})

it('tells which differences are beyond the seeds, in Markdown and in a page of its own', async () => {
  const figures = new Map([['tiny', await figuresOf('tiny', of(), 'made <up>')]])
  const parts = reportOf(results(), figures, 'seeds: [1, 2, 3]')
  const markdown = markdownOf(parts)
  expect(markdown).toContain('| last ReLU erased, 100 % | 2 of 3 | 3 | 82.00 ± 0.92 | 1.2000 ± 0.1000 | 0.5000 ± 0.0000 |')
  expect(markdown).toContain('| last ReLU erased, 100 % | 3 | +1.00 (+0.50 to +1.50) |')
  expect(markdown).toContain('accuracy above that of the network as published, by these intervals: last ReLU erased, 100 %.')
  expect(markdown).toContain(
    'not to be told from that of the network as published, by these intervals: first ReLU erased, 100 %.',
  )
  expect(markdown).toContain('![Learning curves, tiny](figures/curves-tiny.svg)')
  const html = htmlOf(parts)
  expect(html).toContain('made &lt;up&gt;')
  expect(html).toContain('<td>+1.00 (+0.50 to +1.50)</td>')
  expect(html.match(/base64,/g)).toHaveLength(3)
})

it('says which runs were trained otherwise', () => {
  const by = (threads: number): Environment => ({ eraserelu: '0', threads })
  const same = compareEnvironments(new Map([['a', by(1)], ['b', by(1)]])) // prettier-ignore
  expect(same).toEqual({ environment: by(1), mixed: {} })
  expect(markdownOf(reportOf({ ...results(), ...same }, new Map(), ''))).not.toContain('trained alike')
  const other = compareEnvironments(new Map([['a', by(1)], ['b', by(2)], ['c', { ...by(1), processor: 'X' }]])) // prettier-ignore
  expect(other.environment).toEqual({ eraserelu: '0' })
  expect(markdownOf(reportOf({ ...results(), ...other }, new Map(), ''))).toContain(
    '**Not all runs were trained alike**, which changes the last digits of their numbers. threads: 1 in a, c; 2 in b. processor: unknown in a, b; X in c.',
  )
})

it('draws a line and a band for each arm, the same bytes each time', async () => {
  const [curves, gradients, active] = await figuresOf('tiny', of(), 'made up')
  expect([curves!.file, gradients!.file, active!.file]).toEqual(['curves-tiny.svg', 'gradients-tiny.svg', 'active-tiny.svg'])
  for (const title of [
    'Training loss',
    'Test loss',
    'Test accuracy',
    'as published',
    'last ReLU erased, 100 %',
    'bands of one standard deviation',
  ])
    expect(curves!.svg).toContain(title)
  // Three arms in each of three panels.
  expect(curves!.svg.match(/fill-opacity="0.15"|opacity="0.15"/g)?.length).toBe(9)
  expect((await figuresOf('tiny', of(), 'made up'))[0]!.svg).toBe(curves!.svg)
})
