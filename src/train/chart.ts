/** Draws training curves as SVG, and SVG as PNG, without a display and without system fonts. The same input gives the same bytes. */
import type { EChartsOption, LineSeriesOption } from 'echarts'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InvalidArgument } from '../runtime/errors.js'
import { packageRoot } from '../runtime/package_root.js'

/** What was measured after each epoch of one run. */
export interface Curve {
  name: string
  epochs: readonly number[]
  /** Fractions, 0 … 1. */
  accuracy: readonly number[]
  loss: readonly number[]
}

export interface ChartOptions {
  title: string
  subtitle?: string
  width?: number
  height?: number
}

/** Told apart by colour (also by the colour-blind), by dash and by marker. */
const looks = [
  { color: '#1f5fa8', type: 'solid', symbol: 'circle' },
  { color: '#d1541f', type: 'dashed', symbol: 'diamond' },
  { color: '#2d8a57', type: 'dotted', symbol: 'rect' },
  { color: '#7a4fa3', type: 'dashed', symbol: 'triangle' },
] as const

const font = 'DejaVu Sans'
const fontFamily = `${font}, Verdana, sans-serif`
const ink = '#22272e'
const faint = '#5b6673'

const panels = [
  { title: 'Test accuracy', unit: ' %', values: (curve: Curve) => curve.accuracy.map(x => 100 * x), digits: 2 },
  { title: 'Test loss', unit: '', values: (curve: Curve) => curve.loss, digits: 4 },
] as const

/** Test accuracy (left) and test loss (right) over the epochs, one line a curve. */
export async function drawCurves(curves: readonly Curve[], options: ChartOptions): Promise<string> {
  check(curves)
  const { init } = await import('echarts')
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: options.width ?? 1200, height: options.height ?? 500 })
  try {
    chart.setOption(chartOption(curves, options))
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
  if (curves.length === 0 || curves.length > looks.length)
    throw new InvalidArgument(`a chart shows 1 to ${looks.length} curves, got ${curves.length}`)
  for (const { name, epochs, accuracy, loss } of curves) {
    if (epochs.length === 0) throw new InvalidArgument(`curve '${name}' has no epochs`)
    if (accuracy.length !== epochs.length || loss.length !== epochs.length)
      throw new InvalidArgument(
        `curve '${name}' has ${epochs.length} epochs, but ${accuracy.length} accuracies and ${loss.length} losses`,
      )
  }
}

function chartOption(curves: readonly Curve[], { title, subtitle = '' }: ChartOptions): EChartsOption {
  const epochs = curves.flatMap(curve => curve.epochs)
  const [first, last] = [Math.min(...epochs), Math.max(...epochs)]
  const middles = ['25.25%', '74.75%']
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily, color: ink },
    title: [
      {
        text: title,
        subtext: subtitle,
        left: 'center',
        top: 14,
        itemGap: 8,
        textStyle: { fontSize: 19, color: ink },
        subtextStyle: { fontSize: 13, color: faint },
      },
      ...panels.map((panel, i) => ({
        text: panel.title,
        left: middles[i]!,
        top: 112,
        textAlign: 'center' as const,
        textStyle: { fontSize: 15, color: ink },
      })),
    ],
    legend: {
      top: 74,
      itemWidth: 46,
      itemHeight: 11,
      itemGap: 36,
      data: curves.map(({ name }) => name),
      textStyle: { fontSize: 14, color: ink, fontFamily },
    },
    grid: [
      { left: '6%', width: '38.5%', top: 148, bottom: 62 },
      { left: '55.5%', width: '38.5%', top: 148, bottom: 62 },
    ],
    xAxis: panels.map((_, gridIndex) => ({
      gridIndex,
      type: 'value' as const,
      name: 'Epoch',
      nameLocation: 'middle' as const,
      nameGap: 32,
      nameTextStyle: { fontSize: 14, color: ink },
      min: first,
      max: Math.max(last, first + 1),
      minInterval: 1,
      splitLine: { show: false },
      axisLine: { onZero: false, lineStyle: { color: faint } },
      axisTick: { show: true, lineStyle: { color: faint } },
      axisLabel: { fontSize: 13, color: faint },
    })),
    yAxis: panels.map(({ unit }, gridIndex) => ({
      gridIndex,
      type: 'value' as const,
      scale: true,
      splitLine: { lineStyle: { color: '#e4e8ec' } },
      axisLabel: { fontSize: 13, color: faint, formatter: `{value}${unit}` },
    })),
    series: panels.flatMap((_, panel) => curves.map((curve, i) => line(curve, i, panel))),
  }
}

/** One curve in one panel, with its last value written at its end. */
function line(curve: Curve, index: number, panel: number): LineSeriesOption {
  const { color, type, symbol } = looks[index]!
  const { values, digits, unit } = panels[panel]!
  const numbers = values(curve)
  return {
    name: curve.name,
    type: 'line',
    xAxisIndex: panel,
    yAxisIndex: panel,
    data: curve.epochs.map((epoch, i) => [epoch, numbers[i]!]),
    symbol,
    symbolSize: symbol === 'diamond' ? 10 : 8,
    showSymbol: curve.epochs.length <= 40,
    showAllSymbol: true,
    color,
    lineStyle: { color, type, width: 2.5 },
    endLabel: {
      show: true,
      distance: 10,
      color,
      fontSize: 13,
      fontWeight: 'bold',
      formatter: () => `${numbers.at(-1)!.toFixed(digits)}${unit}`,
    },
    labelLayout: { moveOverlap: 'shiftY' },
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
