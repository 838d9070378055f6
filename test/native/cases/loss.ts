/** Cases of the softmax cross-entropy. Its exponentials are never exact; with small integers many logits are equal. */
import type { HostTensor } from '../../../src/runtime/dtype.js'
import type { Case } from './case.js'
import type { Draw } from './draw.js'

interface Setting {
  readonly name: string
  readonly n: number
  readonly classes: number
  readonly labels?: readonly number[]
  readonly labelSmoothing?: number
  readonly mixed?: boolean
  readonly gradient?: boolean
  /** Factor on the logits. */
  readonly scale?: number
  /** Replaces some logits, by position. */
  readonly logits?: Readonly<Record<number, number>>
}

const settings: Setting[] = [
  { name: 'plain', n: 4, classes: 10 },
  { name: 'without gradient', n: 4, classes: 10, gradient: false },
  { name: 'one sample', n: 1, classes: 10 },
  { name: 'one class', n: 3, classes: 1 },
  { name: 'fewer than five classes', n: 5, classes: 3 },
  { name: 'a thousand classes', n: 6, classes: 1000 },
  { name: 'padding, label -1', n: 6, classes: 10, labels: [3, -1, 0, -1, 9, -1] },
  { name: 'padding only', n: 3, classes: 10, labels: [-1, -1, -1] },
  { name: 'a label out of range is not real', n: 3, classes: 10, labels: [10, 2, 4] },
  { name: 'label smoothing', n: 4, classes: 10, labelSmoothing: 0.1 },
  { name: 'two label sets', n: 5, classes: 10, mixed: true },
  {
    name: 'two label sets, label smoothing, padding',
    n: 5,
    classes: 36,
    mixed: true,
    labelSmoothing: 0.2,
    labels: [1, -1, 35, 7, 0],
  },
  { name: 'large logits', n: 4, classes: 10, scale: 100 },
  { name: 'NaN as the logit of the label ranks last', n: 3, classes: 10, labels: [2, 5, 5], logits: { 2: NaN } },
  { name: 'NaN beside the label', n: 2, classes: 10, labels: [0, 5], logits: { 3: NaN } },
]

function make(draw: Draw, s: Setting) {
  const { n, classes, scale = 1, mixed = false } = s
  const given = draw.values([n, classes])
  const logits: HostTensor = { ...given, data: given.data.map((value, e) => s.logits?.[e] ?? scale * value) }
  const labels = s.labels ? { shape: [n], data: Int32Array.from(s.labels) } : draw.integers(0, classes - 1, [n])
  const mix = mixed && { labels2: draw.integers(0, classes - 1, [n]), lambda: draw.fractions([n]) }
  return {
    inputs: { logits, labels, ...mix },
    attributes: { labelSmoothing: s.labelSmoothing ?? 0 },
    outputs: s.gradient === false ? {} : { dlogits: { shape: [n, classes] } },
  }
}

export const lossCases: readonly Case[] = settings.map(setting => ({
  op: 'softmaxCrossEntropy',
  name: setting.name,
  make: draw => make(draw, setting),
  terms: setting.n + setting.classes,
  exact: false,
  nonFinite: setting.logits !== undefined,
}))
