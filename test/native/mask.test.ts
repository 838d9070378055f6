/** The layout of a mask, bit by bit: channel c of a pixel is bit c % 8 of its byte ⌊c / 8⌋, the bits after the last channel are 0. */
import { describe, expect, test } from 'vitest'
import { maskShape } from '../../src/graph/rules/norm.js'
import { run } from '../../src/graph/run.js'
import type { Shape } from '../../src/runtime/dtype.js'
import { makeDraw, sizeOf } from './cases/draw.js'
import { testedDevices } from './helpers.js'

const shapes: Shape[] = [3, 8, 10, 36, 64, 300, 2052].map(channels => [2, 3, 5, channels])

/** Batch norm that changes nothing. */
const unchanged = (channels: number) => {
  const all = (value: number) => ({ shape: [channels], data: new Float32Array(channels).fill(value) })
  return { mean: all(0), invstd: all(1), gamma: all(1), beta: all(0) }
}

function bitOf(mask: ArrayLike<number>, element: number, channels: number): number {
  const [row, c] = [Math.floor(element / channels), element % channels]
  return (mask[row * Math.ceil(channels / 8) + Math.floor(c / 8)]! >> (c % 8)) & 1
}

describe.each(['reference', ...testedDevices])('on %s', device => {
  test.each(shapes)('bnApply writes a bit an element, [%i, %i, %i, %i]', async (...shape) => {
    const channels = shape.at(-1)!
    const [x, residual] = [makeDraw(1, true).values(shape), makeDraw(2, true).values(shape)]
    const types = { mask: { shape: maskShape(shape), dtype: 'u8' as const } }
    const options = { device, outputs: types }
    const { mask } = await run('bnApply', { x, ...unchanged(channels), residual }, { activation: 'relu' }, options)
    expect(mask!.shape).toEqual([2, 3, 5, Math.ceil(channels / 8)])
    const positive = Array.from(x.data, (value, i) => Number(value + residual.data[i]! > 0))
    expect(positive.map((_, i) => bitOf(mask!.data, i, channels))).toEqual(positive)
    if (channels % 8 === 0) return
    const last = mask!.data.filter((_, i) => (i + 1) % maskShape(shape).at(-1)! === 0)
    expect(last.every(byte => byte >> (channels % 8) === 0)).toBe(true)
  })

  test.each(shapes)('bnBwdApply reads them and no bit behind them, [%i, %i, %i, %i]', async (...shape) => {
    const channels = shape.at(-1)!
    const draw = makeDraw(3, false)
    const [dy, x, mask] = [draw.values(shape), draw.values(shape), draw.bytes(255, maskShape(shape))]
    const zeros = { shape: [channels], data: new Float32Array(channels) }
    const reads = { dy, x, ...unchanged(channels), dgamma: zeros, dbeta: zeros, mask }
    const { dx, dresidual } = await run(
      'bnBwdApply',
      reads,
      { activation: 'relu' },
      { device, outputs: { dresidual: { shape } } },
    )
    const passed = Float32Array.from(dy.data, (value, i) => (bitOf(mask.data, i, channels) ? value : 0))
    expect(sizeOf(shape)).toBe(passed.length)
    expect(Array.from(dresidual!.data, value => value + 0)).toEqual(Array.from(passed))
    expect(Array.from(dx!.data, value => value + 0)).toEqual(Array.from(passed))
  })
})
