/** The figures of a study, for each model: learning curves, gradient norms over depth, active units over depth. */
import { drawBands, maxLines, type BandLine, type BandPanel } from './band_chart.js'
import type { LayerValue } from './layers.js'
import { armTitle } from './matrix.js'
import type { ArmResult, RunLayers, RunResult } from './results.js'
import { meanAndDeviation } from './statistics.js'

export interface Figure {
  /** 'curves-resnet20.svg' */
  readonly file: string
  readonly alt: string
  readonly svg: string
}

type EpochQuantity = 'testAccuracy' | 'testLoss' | 'trainLoss'

/** Those of one model; only arms with a finished run are shown, the first few where there are too many to tell apart. */
export async function figuresOf(model: string, arms: readonly ArmResult[], dataset: string): Promise<Figure[]> {
  const shown = arms.filter(({ runs }) => runs.length > 0).slice(0, maxLines)
  if (shown.length === 0) return []
  const seeds = Math.max(...shown.map(({ runs }) => runs.length))
  const subtitle = seeds > 1 ? `${dataset}: mean of ${seeds} seeds, bands of one standard deviation` : `${dataset}: one seed`
  const epochPanel = (title: string, quantity: EpochQuantity, scale = 1, unit = ''): BandPanel => ({
    title, unit, xName: 'Epoch', lines: linesOf(shown, run => run.epochs.map(row => [row.epoch, scale * (row[quantity] ?? NaN)])),
  }) // prettier-ignore
  const depthPanel = (title: string, xName: string, key: keyof RunLayers, look: Partial<BandPanel>, scale = 1): BandPanel => ({
    ...look, title, xName, lines: linesOf(shown, ({ layers }) => layers?.[key].map(layer => pointOf(layer, scale)) ?? []),
  }) // prettier-ignore
  const charts = [
    {
      name: 'curves',
      alt: 'Learning curves',
      panels: [
        epochPanel('Training loss', 'trainLoss'),
        epochPanel('Test loss', 'testLoss'),
        epochPanel('Test accuracy', 'testAccuracy', 100, ' %'),
      ],
    },
    {
      name: 'gradients',
      alt: 'Gradient norm in each block',
      panels: [
        depthPanel('Gradient norm before the first step', 'Block, from the input', 'gradientsBefore', { log: true }),
        depthPanel('Gradient norm after training', 'Block, from the input', 'gradientsAfter', { log: true }),
      ],
    },
    {
      name: 'active',
      alt: 'Share of active units at each ReLU',
      panels: [
        depthPanel('Share of positive outputs at each ReLU that is kept', 'ReLU, from the input', 'active', { unit: ' %' }, 100),
      ],
    },
  ]
  const figures: Figure[] = []
  for (const { name, alt, panels } of charts) {
    const drawable = panels.filter(({ lines }) => lines.length > 0)
    if (drawable.length === 0) continue
    const svg = await drawBands({ title: `${model}: ${alt.toLowerCase()}`, subtitle, panels: drawable })
    figures.push({ file: `${name}-${model}.svg`, alt: `${alt}, ${model}`, svg })
  }
  return figures
}

const pointOf = ({ place, value }: LayerValue, scale: number): [number, number] => [place, scale * value]

/** A line an arm, over the places that all its runs have a value for. */
function linesOf(arms: readonly ArmResult[], pointsOf: (run: RunResult) => (readonly [x: number, y: number])[]): BandLine[] {
  return arms
    .map(arm => {
      const values = new Map<number, number[]>()
      for (const run of arm.runs) for (const [x, y] of pointsOf(run)) values.set(x, [...(values.get(x) ?? []), y])
      const whole = [...values].filter(([, ys]) => ys.length === arm.runs.length && ys.every(y => Number.isFinite(y)))
      return { name: armTitle(arm), points: whole.map(([x, ys]) => ({ x, ...meanAndDeviation(ys) })) }
    })
    .filter(({ points }) => points.length > 0)
}
