import type { ReLU } from './layers/relu.js'
import { Module } from './module.js'

/** The unit that EraseReLU acts on: a residual block, a dense layer, an Inception module. */
export abstract class BasicModule extends Module {
  /** Its ReLUs in execution order: one chain for a residual or dense block, one a branch for Inception. */
  abstract chains(): ReLU[][]
}
