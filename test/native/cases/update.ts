/** Cases of the update section: gradient norm, optimizers, the average of the weights. */
import type { HostTensor } from '../../../src/runtime/dtype.js'
import { state as index } from '../../../src/runtime/store.js'
import type { Case, Example } from './case.js'
import { f32, type Draw } from './draw.js'

/** The tensor `state` with these entries; the others as after a few good steps. */
export function stateOf(entries: Partial<Record<Exclude<keyof typeof index, 'size'>, number>>): HostTensor<Float32Array> {
  const data = new Float32Array(index.size)
  const all = { finite: 1, scale: 0.5, norm: 2, updates: 4, skipped: 1, lossScale: 1, ...entries }
  for (const [name, value] of Object.entries(all)) data[index[name as keyof typeof all]] = value
  return { shape: [index.size], data }
}

const norms: {
  name: string
  size: number
  maxNorm?: number
  loss?: number
  lossScale?: number
  gradient?: number[]
  more?: number[]
}[] = [
  { name: 'one element', size: 1 },
  { name: 'no clipping', size: 1000, loss: 2.5 },
  { name: 'clipped', size: 1000, maxNorm: 1, loss: 2.5 },
  { name: 'below the largest norm', size: 10, maxNorm: 1e6 },
  { name: 'loss scale', size: 100, maxNorm: 0.5, loss: 1, lossScale: 1024 },
  { name: 'several pieces', size: 70_001, loss: 1 },
  { name: 'loss NaN', size: 100, loss: NaN },
  { name: 'loss infinite', size: 100, loss: Infinity, maxNorm: 1 },
  { name: 'gradient NaN', size: 3, gradient: [1, NaN, 2] },
  { name: 'gradient infinite', size: 3, gradient: [1, 2, -Infinity], loss: 1, maxNorm: 1 },
  { name: 'three gradients', size: 17_000, loss: 1, more: [20_000, 5] },
  { name: 'squares beyond the range of f32', size: 2, gradient: [1e30, -1e30], loss: 1, maxNorm: 1 },
]

const normCases = norms.map(({ name, size, maxNorm = 0, loss, lossScale = 1, gradient, more = [] }): Case => ({
  op: 'gradNorm',
  name,
  make: draw => ({
    inputs: {
      gradient: gradient ? f32(...gradient) : draw.values([size]),
      ...Object.fromEntries(more.map((elements, i) => [`gradient${i + 1}`, draw.values([elements])])),
      ...(loss !== undefined && { loss: f32(loss) }),
      state: stateOf({ lossScale }),
    },
    attributes: { maxNorm },
  }),
  // All of it is in double on every device.
  nonFinite: gradient !== undefined,
}))

/** Three groups, one of them in two stretches; the elements between and behind the stretches stay as they are. */
const size = 40_000
const ranges = [0, 7, 0, 9, 20_000, 1, 20_009, 33, 0, 20_050, 19_900, 2]
const rates = [0.5, 0.25, 0.125]
const weightDecay = [0.25, 0, 0.5]

interface Sgd {
  readonly name: string
  readonly momentum: number
  readonly dampening?: number
  readonly nesterov?: 0 | 1
  readonly state?: Parameters<typeof stateOf>[0]
  readonly learningRates?: readonly number[]
  readonly exact?: boolean
}

const sgds: Sgd[] = [
  { name: 'plain', momentum: 0 },
  { name: 'momentum', momentum: 0.5 },
  { name: 'momentum, first update', momentum: 0.5, state: { updates: 1 } },
  { name: 'dampening', momentum: 0.5, dampening: 0.25 },
  { name: 'Nesterov', momentum: 0.5, nesterov: 1 },
  { name: 'Nesterov, first update', momentum: 0.5, nesterov: 1, state: { updates: 1 } },
  { name: 'the usual numbers', momentum: 0.9, nesterov: 1, learningRates: [0.1, 0.01, 0.001], exact: false },
  { name: 'skipped', momentum: 0.5, state: { finite: 0 } },
  { name: 'plain, skipped', momentum: 0, state: { finite: 0 } },
]

const sgdCases = sgds.map(
  ({ name, momentum, dampening = 0, nesterov = 0, state = {}, learningRates = rates, exact = true }): Case => ({
    op: 'sgdUpdate',
    name,
    make: (draw: Draw): Example => ({
      inputs: {
        gradient: draw.values([size]),
        state: stateOf(state),
        weights: draw.values([size]),
        ...(momentum > 0 && { velocity: draw.values([size]) }),
      },
      attributes: { momentum, dampening, nesterov, ranges, weightDecay },
      learningRates,
    }),
    terms: 4,
    exact,
  }),
)

const adamw: { name: string; beta1: number; beta2: number; epsilon: number; state?: Parameters<typeof stateOf>[0] }[] = [
  { name: 'defaults', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: 'first update', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, state: { updates: 1 } },
  { name: 'late', beta1: 0.5, beta2: 0.99, epsilon: 1e-3, state: { updates: 10_000 } },
  { name: 'skipped', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, state: { finite: 0 } },
]

const adamwCases = adamw.map(({ name, beta1, beta2, epsilon, state = {} }): Case => ({
  op: 'adamwUpdate',
  name,
  make: draw => ({
    inputs: {
      gradient: draw.values([size]),
      state: stateOf(state),
      weights: draw.values([size]),
      m: draw.values([size]),
      v: draw.positive([size]),
    },
    attributes: { beta1, beta2, epsilon, ranges, weightDecay },
    learningRates: rates,
  }),
  terms: 9,
  exact: name === 'skipped',
}))

const averages = [
  { name: 'decay 0.5', decay: 0.5, finite: 1, exact: true },
  { name: 'decay 0.999', decay: 0.999, finite: 1, exact: false },
  { name: 'skipped', decay: 0.5, finite: 0, exact: true },
].map(({ name, decay, finite, exact }): Case => ({
  op: 'emaUpdate',
  name,
  make: draw => ({
    inputs: { weights: draw.values([1001]), state: stateOf({ finite }), ema: draw.values([1001]) },
    attributes: { decay },
  }),
  terms: 2,
  exact,
}))

export const updateCases: readonly Case[] = [...normCases, ...sgdCases, ...adamwCases, ...averages]
