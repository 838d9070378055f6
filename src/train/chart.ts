/** Draws training curves as SVG, and SVG as PNG, without a display and without system fonts. The same input gives the same bytes. */
import type { EChartsOption } from 'echarts'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { packageRoot } from '../runtime/package_root.js'
import { chartOption, font, maxCurves } from './chart_option.js'

/** What was measured after each epoch of one run. */
export interface Curve {
  name: string
  epochs: readonly number[]
  /** Fractions, 0 … 1; NaN where there is none. */
  accuracy: readonly number[]
  loss: readonly number[]
}

export interface ChartOptions {
  title: string
  subtitle?: string
  /** Default 'Test accuracy' and 'Test loss'. */
  panelTitles?: { accuracy: string; loss: string }
  width?: number
  height?: number
}

/** Accuracy (left, where any curve has one) and loss (right) over the epochs, one line a curve. */
export async function drawCurves(curves: readonly Curve[], options: ChartOptions): Promise<string> {
  check(curves)
  return renderChart(chartOption(curves, options), options)
}

/** Any chart of echarts as SVG. */
export async function renderChart(
  option: EChartsOption,
  { width = 1200, height = 500 }: Pick<ChartOptions, 'width' | 'height'>,
): Promise<string> {
  const { init } = await import('echarts')
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption(option)
    return withStableIds(chart.renderToSVGString())
  } finally {
    chart.dispose()
  }
}

export async function svgToPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js')
  const fromPackage = createRequire(join(packageRoot(), 'package.json'))
  const folder = join(dirname(fromPackage.resolve('dejavu-fonts-ttf/package.json')), 'ttf')
  const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map(file => join(folder, file))
  return new Resvg(svg, { font: { loadSystemFonts: false, fontFiles, defaultFontFamily: font } }).render().asPng()
}

function check(curves: readonly Curve[]): void {
  if (curves.length === 0 || curves.length > maxCurves)
    throw new InvalidArgument(`a chart shows 1 to ${maxCurves} curves, got ${curves.length}`)
  for (const { name, epochs, accuracy, loss } of curves) {
    if (epochs.length === 0) throw new InvalidArgument(`curve '${name}' has no epochs`)
    if (accuracy.length !== epochs.length || loss.length !== epochs.length)
      throw new InvalidArgument(
        `curve '${name}' has ${epochs.length} epochs, but ${accuracy.length} accuracies and ${loss.length} losses`,
      )
  }
}

/** echarts goes on counting in the ids it writes, from chart to chart; here they are numbered from 0 in order of appearance. */
function withStableIds(svg: string): string {
  const ids = new Map<string, string>()
  return svg.replace(/\bzr\d+-[a-z]+-?\d+\b/g, id => {
    if (!ids.has(id)) ids.set(id, `id${ids.size}`)
    return ids.get(id)!
  })
}
