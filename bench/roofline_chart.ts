// A roofline as SVG: how much arithmetic an operation does for each byte, and how fast it does it, below the roofs that the
// machine's bandwidth and arithmetic rate are.
import type { EChartsOption, LineSeriesOption, ScatterSeriesOption } from 'echarts'
import type { Peaks } from '../src/cli/peaks.js'
import { renderChart } from '../src/train/chart.js'
import { faint, fontFamily, ink } from '../src/train/chart_option.js'

export interface RooflinePoint {
  readonly kind: string
  /** Only in the network whose last ReLUs are erased. */
  readonly erased: boolean
  readonly bytes: number
  /** Floating-point operations. */
  readonly arithmetic: number
  readonly seconds: number
}

export interface Roofline {
  readonly title: string
  readonly subtitle: string
  readonly peaks: Peaks
  readonly points: readonly RooflinePoint[]
}

const [width, keyLeft, lineHeight] = [1160, 760, 25]
const grid = { left: 80, top: 90, right: 730, bottom: 70 }
const text = (size: number, color = ink) => ({ fontSize: size, color, fontFamily })
const looks = {
  kept: { name: 'as published', color: '#1f5fa8', symbol: 'circle' },
  erased: { name: 'last ReLU erased', color: '#d1541f', symbol: 'diamond' },
}
const lookOf = ({ erased }: RooflinePoint) => looks[erased ? 'erased' : 'kept']

/** Operations a byte, GFLOP/s. */
type Place = readonly [x: number, y: number]
const placeOf = ({ arithmetic, bytes, seconds }: RooflinePoint): Place => [arithmetic / bytes, arithmetic / seconds / 1e9]

export function drawRoofline({ title, subtitle, peaks, points }: Roofline): Promise<string> {
  const ridge: Place = [peaks.rate / peaks.bandwidth, peaks.rate / 1e9]
  const places = points.map(placeOf)
  const [xs, ys] = ([0, 1] as const).map(axis => limits([...places, ridge].map(place => place[axis]))) as [Limits, Limits]
  const height = Math.max(560, 170 + lineHeight * points.length)
  const pixel = (value: number, [min, max]: Limits, from: number, to: number) =>
    from + ((to - from) * Math.log(value / min)) / Math.log(max / min)
  const pixels = places.map(([x, y]): Place => [
    pixel(x, xs, grid.left, grid.right),
    pixel(y, ys, height - grid.bottom, grid.top),
  ])
  const labels = labelPlaces(pixels)
  // The bandwidth's roof, from where it enters the picture.
  const start = Math.max(xs[0], (ys[0] * 1e9) / peaks.bandwidth)
  const axis = (name: string, nameGap: number, [min, max]: Limits) => ({
    type: 'log' as const, name, nameLocation: 'middle' as const, nameGap, min, max, nameTextStyle: text(14), axisLabel: text(13, faint),
    axisLine: { show: true, onZero: false, lineStyle: { color: faint } }, splitLine: { show: true, lineStyle: { color: '#e4e8ec' } },
  }) // prettier-ignore
  const option: EChartsOption = {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily, color: ink },
    title: { text: title, subtext: subtitle, left: 'center', top: 14, itemGap: 8, textStyle: text(19), subtextStyle: text(13, faint) },
    legend: { data: Object.values(looks).map(({ name }) => name), left: keyLeft, top: 84, itemGap: 24, textStyle: text(13) },
    grid: { left: grid.left, width: grid.right - grid.left, top: grid.top, bottom: grid.bottom },
    xAxis: axis('floating-point operations a byte', 32, xs),
    yAxis: axis('GFLOP/s', 46, ys),
    series: [
      roof(`${(peaks.bandwidth / 1e9).toFixed(1)} GB/s`, [start, (start * peaks.bandwidth) / 1e9], ridge, 'left'),
      roof(`${ridge[1].toFixed(1)} GFLOP/s`, ridge, [xs[1], ridge[1]], 'top'),
      ...[false, true].map(erased => markers(points.filter(point => point.erased === erased), looks[erased ? 'erased' : 'kept'])),
    ],
    graphic: points.flatMap((point, i) => {
      const fill = lookOf(point).color
      const [[x, y], [labelX, labelY]] = [pixels[i]!, labels[i]!]
      const label = { text: `${i + 1}`, x: labelX, y: labelY, align: 'center' as const, verticalAlign: 'middle' as const }
      return [
        { type: 'line' as const, silent: true, z: 4, shape: { x1: x, y1: y, x2: labelX, y2: labelY }, style: { stroke: fill, opacity: 0.35 } },
        { type: 'text' as const, silent: true, z: 5, style: { ...label, fill, font: `bold 12px ${fontFamily}`, stroke: '#ffffff', lineWidth: 3 } },
        { type: 'text' as const, silent: true, style: { x: keyLeft, y: 122 + lineHeight * i, text: `${i + 1}  ${keyOf(point, ridge)}`, fill, font: `13px ${fontFamily}` } },
      ]
    }),
  } // prettier-ignore
  return renderChart(option, { width, height })
}

/** What it reaches of the roof above it. */
function keyOf(point: RooflinePoint, ridge: Place): string {
  const [intensity, speed] = placeOf(point)
  const reached = intensity > ridge[0] ? `${speed.toFixed(1)} GFLOP/s` : `${(point.bytes / point.seconds / 1e9).toFixed(1)} GB/s`
  return `${point.kind}: ${reached}`
}

const roof = (name: string, from: Place, to: Place, side: 'left' | 'top'): LineSeriesOption => ({
  type: 'line', data: [[...from], [...to]], symbol: 'none', silent: true, lineStyle: { color: ink, width: 2 }, z: 1,
  markPoint: {
    data: [{ name, coord: [Math.sqrt(from[0] * to[0]), Math.sqrt(from[1] * to[1])] }], symbol: 'rect', symbolSize: 0.1,
    itemStyle: { color: ink }, label: { show: true, formatter: name, position: side, distance: 16, ...text(13) },
  },
}) // prettier-ignore

const markers = (points: readonly RooflinePoint[], { name, color, symbol }: (typeof looks)['kept']): ScatterSeriesOption => ({
  type: 'scatter', name, symbol, symbolSize: 11, z: 3, itemStyle: { color, opacity: 1, borderColor: '#ffffff', borderWidth: 1 },
  data: points.map(point => [...placeOf(point)]),
}) // prettier-ignore

/** Where the number of each point stands, in pixels: the nearest of some places around it that is free of points and earlier numbers. */
export function labelPlaces(points: readonly Place[]): Place[] {
  const labels: Place[] = []
  for (const [x, y] of points) {
    const around = [16, 26, 36, 48, 60].flatMap(distance =>
      Array.from({ length: 12 }, (_, i): Place => {
        const angle = (i * Math.PI) / 6
        return [x + distance * Math.cos(angle), y + distance * Math.sin(angle)]
      }),
    )
    const isFree = ([labelX, labelY]: Place) =>
      [...points, ...labels].every(([a, b]) => Math.abs(a - labelX) > 15 || Math.abs(b - labelY) > 13)
    labels.push(around.find(isFree) ?? around[0]!)
  }
  return labels
}

type Limits = readonly [min: number, max: number]

/** The nearest of 1, 2, 5, 10, … below and above all values. */
function limits(values: readonly number[]): Limits {
  const steps = Array.from({ length: 60 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** (Math.floor(i / 3) - 10))
  const [least, most] = [Math.min(...values) / 1.2, Math.max(...values) * 1.6]
  return [steps.findLast(step => step <= least) ?? least, steps.find(step => step >= most) ?? most]
}
