import type { Tensor } from '../../graph/tensor.js'
import { Module } from '../module.js'

/** Modules one after the other. They are called '0', '1', … and are `sequential[0]`, `sequential[1]`, …. */
export class Sequential extends Module {
  readonly [index: number]: Module

  constructor(...modules: Module[]) {
    super()
    Object.assign(this, modules)
  }

  /** Number of modules. */
  override get length(): number {
    return Array.from(this.children()).length
  }

  /** The modules, in order. */
  *[Symbol.iterator](): Iterator<Module> {
    for (const [, module] of this.children()) yield module
  }

  forward(x: Tensor): Tensor {
    return Array.from(this).reduce((y, module) => module(y), x)
  }
}
