/** A model layer by layer: output shapes, parameters, multiply-accumulates. */
import { rules } from '../graph/rules/index.js'
import { f32, type Shape } from '../graph/tensor.js'
import { Trace, withTrace } from '../graph/trace.js'
import type { Module } from '../nn/module.js'

/** One layer of a model. */
export interface LayerSummary {
  /** 'layer1.0.conv1' */
  readonly name: string
  /** 'Conv2d', … */
  readonly type: string
  /** Shape of what it returns. */
  readonly output: Shape
  /** Trainable ones. */
  readonly parameters: number
  /** Multiply-accumulates of convolutions and linear layers, for the whole batch. */
  readonly macs: number
}

/** A model, layer by layer and in all. */
export interface ModelSummary {
  /** In the order of the model. */
  readonly layers: readonly LayerSummary[]
  /** Shape of what the model returns. */
  readonly output: Shape
  /** Trainable ones. */
  readonly parameters: number
  /** Multiply-accumulates of convolutions and linear layers, for the whole batch. */
  readonly macs: number
}

/** Runs the model on a symbolic input of this shape, [N, H, W, C], as in inference. Layers are the modules without children. */
export function summarize(model: Module, input: Shape): ModelSummary {
  const trace = new Trace(false)
  const { shape } = withTrace(trace, () => model(trace.input('input', f32(input))))
  const macs = new Map<string, number>()
  let total = 0
  for (const node of trace.graph.nodes) {
    const count = rules[node.op].macs?.(node) ?? 0
    macs.set(node.name, (macs.get(node.name) ?? 0) + count)
    total += count
  }
  const layers: LayerSummary[] = []
  for (const [name, module] of model.namedModules()) {
    const output = trace.named.get(name)?.shape
    if (!output || Array.from(module.children()).length > 0) continue
    layers.push({ name, type: module.constructor.name, output, parameters: module.parameterCount(), macs: macs.get(name) ?? 0 })
  }
  return { layers, output: shape, parameters: model.parameterCount(), macs: total }
}
