/**
 * Initial values. A parameter made by `parameter()` remembers how it is initialised; `initialize(model, seed)` fills a whole
 * model so that each value depends on the seed, the parameter's name and its position only: the same seed gives the same
 * weights whatever else the model holds, and whichever ReLUs are erased.
 */
import { Parameter, type ParameterRole } from '../graph/parameter.js'
import type { Shape } from '../graph/tensor.js'
import { checkSeed, philoxBlock, uniformOf } from '../runtime/philox.js'
import { boxMuller } from './box_muller.js'
import type { Module } from './module.js'

/** Where a parameter's random numbers come from. */
export interface Stream {
  /** Of the whole model; an integer of at least 0. */
  readonly seed: number
  /** Of this parameter, 32 bits. */
  readonly id: number
}

/** Fills a parameter's `data`, at once or by `fillLater`; what is random must come from the stream alone. */
export type Init = (parameter: Parameter, stream: Stream) => void

/** Far behind any training step, so that initial values share no random number with dropout or augmentation. */
const INIT_STEP = 2 ** 47

const inits = new WeakMap<Parameter, Init>()
let constructed = 0
let filling = true

/** A new parameter with its initial values; those of construction differ from parameter to parameter. */
export function parameter(shape: Shape, role: ParameterRole, init: Init, inputShape?: Parameter['inputShape']): Parameter {
  const made = new Parameter(shape, role, inputShape)
  inits.set(made, init)
  if (filling) init(made, { seed: 0, id: constructed++ >>> 0 })
  return made
}

/** Makes a model whose values `initialize` will fill: its parameters draw no random number of those that are made alone. */
export function unfilled<T extends Module>(make: () => T): T {
  filling = false
  try {
    return make()
  } finally {
    filling = true
  }
}

/** Fills every parameter and running statistic of the model anew, and returns the model. */
export function initialize<T extends Module>(model: T, seed = 0): T {
  checkSeed(seed)
  model.assignNames()
  for (const [name, each] of model.namedParameters()) inits.get(each)?.(each, { seed, id: hash(name) })
  return model
}

/** FNV-1a, 32 bits. */
function hash(name: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** The same value everywhere. */
export const constant =
  (value: number): Init =>
  ({ data }) =>
    void data.fill(value)
/** 0 everywhere. */
export const zeros = constant(0)
/** 1 everywhere. */
export const ones = constant(1)

const words = new Uint32Array(4)

/** Evenly in [-bound, bound). */
export const uniform =
  (bound: number): Init =>
  (parameter, { seed, id }) =>
    parameter.fillLater(data => {
      for (let i = 0; i < data.length; i++) {
        if (i % 4 === 0) philoxBlock(seed, INIT_STEP, id, i / 4, words)
        data[i] = (2 * uniformOf(words[i % 4]!) - 1) * bound
      }
    })

/** Normal with mean 0, by the Box-Muller transform: two uniform numbers make two normal ones. */
export const normal =
  (deviation: number): Init =>
  (parameter, { seed, id }) =>
    parameter.fillLater(data => {
      for (let i = 0; i < data.length; i += 4) {
        philoxBlock(seed, INIT_STEP, id, i / 4, words)
        boxMuller(words, deviation, data, i)
      }
    })

/** Inputs of one output value. Filters are [K, R, S, C/groups], linear weights [K, C]. */
export const fanIn = ([, ...rest]: Shape): number => rest.reduce((product, dim) => product * dim, 1)
/** Outputs that one input value reaches. */
export const fanOut = (shape: Shape): number => shape.slice(0, -1).reduce((product, dim) => product * dim, 1)

/** PyTorch's default for convolutions and linear layers: evenly in ±1/sqrt(fan-in). */
export const kaimingUniform: Init = (p, stream) => uniform(1 / Math.sqrt(fanIn(p.shape)))(p, stream)

/** Normal with variance 2/fan (He et al. 2015). */
export const heNormal =
  (fan: 'fan-in' | 'fan-out'): Init =>
  (p, stream) =>
    normal(Math.sqrt(2 / (fan === 'fan-in' ? fanIn(p.shape) : fanOut(p.shape))))(p, stream)
