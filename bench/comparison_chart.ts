// What compare.ts measured, as a picture.
import type { CustomSeriesOption, EChartsOption } from 'echarts'
import { renderChart } from '../src/train/chart.js'
import { faint, fontFamily, ink } from '../src/train/chart_option.js'
import { bestPeer, nameOf, type WorkloadResult } from './comparison_tables.js'

const looks = [
  { color: '#1f5fa8', symbol: 'circle' },
  { color: '#d1541f', symbol: 'diamond' },
  { color: '#2d8a57', symbol: 'rect' },
  { color: '#7a4fa3', symbol: 'triangle' },
  { color: '#8c6d1f', symbol: 'emptyCircle' },
  { color: '#c2378f', symbol: 'emptyDiamond' },
]

/** How many times as fast this package is as each of the others, a line a workload, with the lowest and the highest round. */
export function drawComparison(results: readonly WorkloadResult[], subtitle: string): Promise<string> {
  const shown = results.filter(result => bestPeer(result))
  const points = shown.flatMap(({ peers }, line) => {
    const others = peers.flatMap(({ own, peer, speed }) => (own || !speed ? [] : [{ peer, speed }]))
    // Below each other, around the middle of the line.
    return others.map((other, i) => ({ ...other, line, offset: (i - (others.length - 1) / 2) * 14 }))
  })
  const names = [...new Set(points.map(({ peer }) => peer))]
  const text = (size: number, color = ink) => ({ fontSize: size, color, fontFamily })
  // Below the names.
  const top = 80 + 20 * names.length
  const option: EChartsOption = {
    animation: false,
    backgroundColor: '#ffffff',
    title: {
      text: 'Times as fast as other libraries (above 1: eraserelu is faster)',
      subtext: subtitle,
      left: 'center',
      top: 12,
      textStyle: text(18),
      subtextStyle: text(13, faint),
    },
    legend: { data: names, orient: 'vertical', left: 420, top: 60, itemGap: 6, textStyle: text(13) },
    grid: { left: 420, right: 40, top, bottom: 50 },
    xAxis: {
      type: 'value',
      min: ({ min }: { min: number }) => Math.min(0.8, Math.floor((min || 1) * 5) / 5),
      axisLabel: text(13),
      name: 'time of the other by ours, round by round: median, lowest and highest',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: text(13, faint),
    },
    yAxis: { type: 'category', data: shown.map(nameOf), inverse: true, axisLabel: text(13), splitLine: { show: true } },
    series: names.flatMap((name, i) => {
      const { color, symbol } = looks[i % looks.length]!
      const own = points.filter(({ peer }) => peer === name)
      const range: CustomSeriesOption = {
        type: 'custom',
        name,
        color,
        data: own.map(({ line, speed, offset }) => [line, speed.lowest, speed.highest, offset]),
        encode: { x: [1, 2], y: 0 },
        renderItem: (_, { value, coord }) => {
          const [left, y] = coord([value(1), value(0)]) as [number, number]
          const [right] = coord([value(2), value(0)]) as [number, number]
          const height = y + Number(value(3))
          const shape = { x1: left, x2: right, y1: height, y2: height }
          return { type: 'line', shape, style: { stroke: color, lineWidth: 2 } }
        },
      }
      return [
        range,
        {
          type: 'scatter' as const,
          name,
          symbol,
          symbolSize: 11,
          color,
          data: own.map(({ line, speed, offset }) => ({ value: [speed.median, line], symbolOffset: [0, offset] })),
          ...(i === 0 && {
            markLine: {
              silent: true,
              symbol: 'none',
              label: { show: false },
              lineStyle: { color: ink, type: 'solid' as const },
              data: [{ xAxis: 1 }],
            },
          }),
        },
      ]
    }),
  }
  return renderChart(option, { width: 1100, height: top + 60 + 70 * shown.length })
}
