/** Charts of lines with bands, as SVG: a panel a quantity, a line an arm (the mean over its seeds), a band of one standard deviation. */
import type { CustomSeriesOption, EChartsOption, LineSeriesOption } from 'echarts'
import { renderChart } from '../train/chart.js'
import { faint, fontFamily, ink } from '../train/chart_option.js'
import { InvalidArgument } from '../runtime/errors.js'
import type { MeanAndDeviation } from './statistics.js'

export interface BandPoint extends MeanAndDeviation {
  readonly x: number
}

/** The same name in several panels is one entry of the legend. */
export interface BandLine {
  readonly name: string
  readonly points: readonly BandPoint[]
}

export interface BandPanel {
  readonly title: string
  readonly xName: string
  readonly unit?: string
  /** Whether the y axis is logarithmic. */
  readonly log?: boolean
  readonly lines: readonly BandLine[]
}

export interface BandChart {
  readonly title: string
  readonly subtitle: string
  readonly panels: readonly BandPanel[]
}

/** Told apart by colour (also by the colour-blind), by dash and by marker. */
const looks = [
  { color: '#1f5fa8', type: 'solid', symbol: 'circle' },
  { color: '#d1541f', type: 'dashed', symbol: 'diamond' },
  { color: '#2d8a57', type: 'dotted', symbol: 'rect' },
  { color: '#7a4fa3', type: 'dashed', symbol: 'triangle' },
  { color: '#8c6d1f', type: 'solid', symbol: 'emptyCircle' },
  { color: '#c2378f', type: 'dotted', symbol: 'emptyDiamond' },
  { color: '#3a9fb8', type: 'solid', symbol: 'emptyRect' },
  { color: '#555555', type: 'dashed', symbol: 'emptyTriangle' },
] as const
/** How many arms a chart can tell apart. */
export const maxLines = looks.length

const width = 1200
const [left, gap, right] = [70, 80, 30]

/** Throws InvalidArgument where there are more lines than can be told apart. */
export function drawBands({ title, subtitle, panels }: BandChart): Promise<string> {
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))]
  if (names.length > maxLines) throw new InvalidArgument(`a chart tells ${maxLines} lines apart, got ${names.length}`)
  const panelWidth = (width - left - right - gap * (panels.length - 1)) / panels.length
  const leftOf = (index: number) => left + index * (panelWidth + gap)
  const text = (size: number) => ({ fontSize: size, color: ink, fontFamily })
  const option: EChartsOption = {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily, color: ink },
    title: [
      { text: title, subtext: subtitle, left: 'center', top: 14, itemGap: 8, textStyle: text(19), subtextStyle: { fontSize: 13, color: faint } },
      ...panels.map((panel, i) => ({
        text: panel.title, left: leftOf(i) + panelWidth / 2, top: 122, textAlign: 'center' as const, textStyle: text(15),
      })),
    ],
    legend: { top: 72, width: width - 100, itemWidth: 46, itemHeight: 11, itemGap: 24, data: names, textStyle: text(13) },
    grid: panels.map((_, i) => ({ left: leftOf(i), width: panelWidth, top: 158, bottom: 62 })),
    xAxis: panels.map(({ xName, lines }, gridIndex) => {
      const places = lines.flatMap(({ points }) => points.map(({ x }) => x))
      const [first, last] = [Math.min(...places), Math.max(...places)]
      return {
        gridIndex, type: 'value' as const, name: xName, nameLocation: 'middle' as const, nameGap: 32, nameTextStyle: text(14),
        min: first, max: Math.max(last, first + 1), minInterval: 1, splitLine: { show: false },
        axisLine: { onZero: false, lineStyle: { color: faint } }, axisTick: { show: true, lineStyle: { color: faint } },
        axisLabel: { fontSize: 13, color: faint },
      }
    }),
    yAxis: panels.map(({ unit = '', log = false }, gridIndex) => ({
      gridIndex, type: log ? ('log' as const) : ('value' as const), scale: true, splitLine: { lineStyle: { color: '#e4e8ec' } },
      axisLabel: { fontSize: 13, color: faint, formatter: (value: number) => `${+value.toPrecision(3)}${unit}` },
    })),
    // The legend shows the first series of a name: the line.
    series: panels.flatMap((panel, i) =>
      panel.lines.flatMap(line => [mean(line, i, names.indexOf(line.name)), band(line, i, names.indexOf(line.name))]),
    ),
  } // prettier-ignore
  return renderChart(option, { width, height: 520 })
}

function mean({ name, points }: BandLine, panel: number, look: number): LineSeriesOption {
  const { color, type, symbol } = looks[look]!
  return {
    name,
    type: 'line',
    xAxisIndex: panel,
    yAxisIndex: panel,
    data: points.map(point => [point.x, point.mean]),
    symbol,
    symbolSize: 7,
    showSymbol: points.length <= 60,
    showAllSymbol: true,
    color,
    lineStyle: { color, type, width: 2 },
    z: 3,
  }
}

/** One polygon: along the upper edge, and back along the lower one. */
function band({ name, points }: BandLine, panel: number, look: number): CustomSeriesOption {
  const spread = points.filter(point => point.deviation !== undefined)
  const upper = spread.map(({ x, mean, deviation }) => [x, mean + deviation!])
  // On a logarithmic axis there is nothing at or below 0.
  const lower = spread.map(({ x, mean, deviation }) => [x, Math.max(mean - deviation!, mean / 1000)])
  return {
    name,
    type: 'custom',
    xAxisIndex: panel,
    yAxisIndex: panel,
    data: [...upper, ...lower],
    renderItem: ({ dataIndex }, api) =>
      dataIndex === 0
        ? {
            type: 'polygon',
            shape: { points: [...upper, ...lower.toReversed()].map(point => api.coord(point)) },
            style: { fill: looks[look]!.color, opacity: 0.15 },
          }
        : undefined,
    z: 1,
    silent: true,
  }
}
