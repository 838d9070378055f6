/** oneHot: labels as rows of 0 and 1, for losses of the caller's own. */
import { expect, test } from 'vitest'
import { compile, Module, oneHot, type Tensor } from '../../src/index.js'

class OneHot extends Module {
  constructor(readonly classes: number) {
    super()
  }

  forward(labels: Tensor): Tensor {
    return oneHot(labels, this.classes)
  }
}

test.each([1, 2, 7, 8, 1000])('%i classes: 1 in the column of the label, zeros for -1', async classes => {
  const labels = Int32Array.of(0, -1, classes - 1, Math.floor(classes / 2))
  using session = await compile(new OneHot(classes), { inputs: { labels: { shape: [4], dtype: 'i32' } } })
  const { output } = await session.run({ labels })
  const expected = Array.from(labels, label => Array.from({ length: classes }, (_, column) => (column === label ? 1 : 0)))
  expect(output!.shape).toEqual([4, classes])
  expect(Array.from(output!.data)).toEqual(expected.flat())
})

test.each([
  ['floats', { shape: [4] }, 3, /labels must be i32 \[N\], got .*f32/],
  ['images', { shape: [4, 2], dtype: 'i32' }, 3, /labels must be i32 \[N\], got .*\[4, 2\]/],
  ['no classes', { shape: [4], dtype: 'i32' }, 0, /oneHot.*classes must be an integer of at least 1/],
] as const)('refuses %s', async (_, labels, classes, message) => {
  await expect(compile(new OneHot(classes), { inputs: { labels } })).rejects.toThrow(message)
})
