import type { Tensor } from '../../graph/tensor.js'
import { Module } from '../module.js'

/** Modules one after the other, with names of their own: `new NamedSequential({ conv0: …, norm0: … })`. */
export class NamedSequential extends Module {
  constructor(modules: Readonly<Record<string, Module>>) {
    super()
    Object.assign(this, modules)
  }

  forward(x: Tensor): Tensor {
    return Array.from(this.children()).reduce((y, [, module]) => module(y), x)
  }
}
