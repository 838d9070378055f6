/** How a chart of training curves looks, in the words of echarts. */
import type { EChartsOption, LineSeriesOption } from 'echarts'
import type { ChartOptions, Curve } from './chart.js'

/** Told apart by colour (also by the colour-blind), by dash and by marker. */
const looks = [
  { color: '#1f5fa8', type: 'solid', symbol: 'circle' },
  { color: '#d1541f', type: 'dashed', symbol: 'diamond' },
  { color: '#2d8a57', type: 'dotted', symbol: 'rect' },
  { color: '#7a4fa3', type: 'dashed', symbol: 'triangle' },
] as const
export const maxCurves = looks.length

export const font = 'DejaVu Sans'
export const fontFamily = `${font}, Verdana, sans-serif`
export const ink = '#22272e'
export const faint = '#5b6673'

interface Panel {
  title: string
  unit: string
  values: (curve: Curve) => readonly number[]
  /** Of the last value, which is written out. */
  digits: number
}

const panels: Record<'accuracy' | 'loss', Panel> = {
  accuracy: { title: 'Test accuracy', unit: ' %', values: curve => curve.accuracy.map(x => 100 * x), digits: 2 },
  loss: { title: 'Test loss', unit: '', values: curve => curve.loss, digits: 4 },
}

/** Where panels stand, by their number. */
const places = {
  1: [{ left: '6%', width: '88%', middle: '50%' }],
  2: [
    { left: '6%', width: '38.5%', middle: '25.25%' },
    { left: '55.5%', width: '38.5%', middle: '74.75%' },
  ],
}

export function chartOption(curves: readonly Curve[], { title, subtitle = '', panelTitles }: ChartOptions): EChartsOption {
  const epochs = curves.flatMap(curve => curve.epochs)
  const [first, last] = [Math.min(...epochs), Math.max(...epochs)]
  const names = curves.some(({ accuracy }) => accuracy.some(x => !Number.isNaN(x)))
    ? (['accuracy', 'loss'] as const)
    : (['loss'] as const)
  const shown = names.map((name, i) => ({
    ...panels[name],
    title: panelTitles?.[name] ?? panels[name].title,
    ...places[names.length][i]!,
  }))
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
      ...shown.map(panel => ({
        text: panel.title,
        left: panel.middle,
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
    grid: shown.map(({ left, width }) => ({ left, width, top: 148, bottom: 62 })),
    xAxis: shown.map((_, gridIndex) => ({
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
    yAxis: shown.map(({ unit }, gridIndex) => ({
      gridIndex,
      type: 'value' as const,
      scale: true,
      splitLine: { lineStyle: { color: '#e4e8ec' } },
      axisLabel: { fontSize: 13, color: faint, formatter: `{value}${unit}` },
    })),
    series: shown.flatMap((panel, gridIndex) => curves.map((curve, i) => line(curve, i, panel, gridIndex))),
  }
}

/** One curve in one panel, with its last value written at its end. */
function line(curve: Curve, index: number, { values, digits, unit }: Panel, gridIndex: number): LineSeriesOption {
  const { color, type, symbol } = looks[index]!
  const numbers = values(curve)
  return {
    name: curve.name,
    type: 'line',
    xAxisIndex: gridIndex,
    yAxisIndex: gridIndex,
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
