/** The report of a study: what was trained, the tables, the figures, and what they cannot say. Quotes no result of others. */
import type { Part } from './document.js'
import type { Figure } from './figures.js'
import { armTitle } from './matrix.js'
import type { ArmResult, MixedEnvironment, Quantity } from './results.js'
import type { MeanAndDeviation, PairedDifference } from './statistics.js'

/** results.json */
export interface StudyResults {
  /** What makes it again. */
  readonly command: string
  readonly dataset: { readonly name: string; readonly train: number; readonly test: number }
  readonly seeds: readonly number[]
  /** What all runs share, by the flags of `eraserelu train`. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly finishedRuns: number
  readonly allRuns: number
  /** Names of those that ended with an error. */
  readonly failedRuns: readonly string[]
  readonly arms: readonly ArmResult[]
  /** What all runs were trained with. */
  readonly environment: Readonly<Record<string, string | number>>
  /** What some were trained with and others not. */
  readonly mixed: MixedEnvironment
}

/** What a quantity is called, what it is multiplied with to be shown, and its digits. */
const shown: Record<Quantity, { readonly name: string; readonly scale: number; readonly digits: number }> = {
  testAccuracy: { name: 'Test accuracy, %', scale: 100, digits: 2 },
  testLoss: { name: 'Test loss', scale: 1, digits: 4 },
  trainLoss: { name: 'Training loss', scale: 1, digits: 4 },
}

/** `figures`: of each model. `yaml`: the study as a file. */
export function reportOf(results: StudyResults, figures: ReadonlyMap<string, readonly Figure[]>, yaml: string): Part[] {
  const { dataset, seeds, finishedRuns, allRuns, failedRuns, arms, command, environment } = results
  const models = [...new Set(arms.map(({ model }) => model))]
  const partial = finishedRuns < allRuns ? ` **${finishedRuns} of ${allRuns} runs are finished**: what follows covers those.` : ''
  const failed = failedRuns.length > 0 ? [{ text: `Ended with an error: ${failedRuns.join(', ')} (see \`logs/\`).` }] : []
  return [
    { heading: `Study of erased ReLUs: ${models.join(', ')} on ${dataset.name}`, level: 1 },
    {
      text:
        `Each network is trained as published and with ReLUs erased, with the seeds ${seeds.join(', ')}, on ${dataset.train} training images, ` +
        `and measured on ${dataset.test} test images after the last epoch. With one seed, all arms of a network start from the same weights ` +
        `and see the same images in the same order, with the same budget.${partial}`,
    },
    ...failed,
    ...mixedParts(results.mixed),
    ...models.flatMap(model =>
      partsOf(
        model,
        arms.filter(arm => arm.model === model),
        figures.get(model) ?? [],
      ),
    ),
    { heading: 'What these numbers are', level: 2 },
    {
      text:
        '± is the standard deviation over the seeds (n - 1 in the denominator). A difference is taken seed by seed; its interval is the 95 % ' +
        "confidence interval of the mean by Student's t, which holds for normally distributed differences and, with few seeds, is wide. Where it " +
        'contains 0 the arms cannot be told apart. Of many intervals, about one in twenty misses its value by chance: nothing here is corrected for that.',
    },
    {
      text:
        'Gradient norms are L2 norms over the parameters of a block, of the cross-entropy over four batches of training images without augmentation, ' +
        'before the first step and after training. Active units are the positive outputs at each ReLU that is kept, over up to four batches of test images.',
    },
    { heading: 'Made by', level: 2 },
    { code: command },
    { code: yaml },
    {
      text: `${Object.entries(environment)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}.`,
    },
    { text: 'All numbers, every epoch and seed included, are in `results.json`.' },
  ]
}

/** Numbers of runs that were trained otherwise cannot be compared to the last digit; their bytes cannot be repeated by one command. */
function mixedParts(mixed: MixedEnvironment): Part[] {
  const kinds = Object.entries(mixed).map(
    ([name, values]) => `${name}: ${values.map(({ value, runs }) => `${value} in ${runs.join(', ')}`).join('; ')}`,
  )
  if (kinds.length === 0) return []
  const text = `**Not all runs were trained alike**, which changes the last digits of their numbers. ${kinds.join('. ')}.`
  return [{ text }]
}

function partsOf(model: string, arms: readonly ArmResult[], figures: readonly Figure[]): Part[] {
  const compared = arms.filter(({ difference }) => Object.keys(difference).length > 0)
  const quantities = Object.keys(shown) as Quantity[]
  return [
    { heading: model, level: 2 },
    { text: `${arms[0]!.parameters} parameters in each arm.` },
    {
      table: [
        ['', 'ReLUs kept', 'Seeds', ...quantities.map(quantity => shown[quantity].name)],
        ...arms.map(arm => [
          armTitle(arm),
          `${arm.relus.kept} of ${arm.relus.total}`,
          `${arm.runs.length}`,
          ...quantities.map(quantity => spread(arm.final[quantity], quantity)),
        ]),
      ],
    },
    ...(compared.length > 0
      ? [
          { text: 'Minus the network as published, seed by seed (mean, and 95 % interval):' },
          {
            table: [
              ['', 'Pairs', ...quantities.map(quantity => shown[quantity].name)],
              ...compared.map(arm => [
                armTitle(arm),
                `${arm.difference.testLoss?.count ?? 0}`,
                ...quantities.map(quantity => interval(arm.difference[quantity], quantity)),
              ]),
            ],
          },
          { text: verdict(compared) },
        ]
      : []),
    ...figures.map(figure => ({ figure })),
  ]
}

function spread(value: MeanAndDeviation | undefined, quantity: Quantity): string {
  if (!value) return '-'
  const { scale, digits } = shown[quantity]
  const deviation = value.deviation === undefined ? '' : ` ± ${(scale * value.deviation).toFixed(digits)}`
  return `${(scale * value.mean).toFixed(digits)}${deviation}`
}

function interval(value: PairedDifference | undefined, quantity: Quantity): string {
  if (!value) return '-'
  const { scale, digits } = shown[quantity]
  const signed = (x: number) => `${x > 0 ? '+' : ''}${(scale * x).toFixed(digits)}`
  return value.interval
    ? `${signed(value.mean)} (${signed(value.interval[0])} to ${signed(value.interval[1])})`
    : signed(value.mean)
}

/** Which arms differ from the baseline in test accuracy, and which cannot be told from it. */
function verdict(arms: readonly ArmResult[]): string {
  const sorted = { better: [] as string[], worse: [] as string[], open: [] as string[] }
  for (const arm of arms) {
    const [low, high] = arm.difference.testAccuracy?.interval ?? [-Infinity, Infinity]
    sorted[low > 0 ? 'better' : high < 0 ? 'worse' : 'open'].push(armTitle(arm))
  }
  const sentence = (names: readonly string[], what: string) =>
    names.length > 0 ? [`Test accuracy ${what} the network as published, by these intervals: ${names.join('; ')}.`] : []
  return [
    ...sentence(sorted.better, 'above that of'),
    ...sentence(sorted.worse, 'below that of'),
    ...sentence(sorted.open, 'not to be told from that of'),
  ].join(' ')
}
