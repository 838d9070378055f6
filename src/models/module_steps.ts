/** A basic module as it computes: its layers and operations in the order of execution, read from the traced graph. */
import { present, type Graph } from '../graph/graph.js'
import { f32, type Tensor } from '../graph/tensor.js'
import { Trace, withTrace } from '../graph/trace.js'
import type { BasicModule } from '../nn/basic_module.js'
import { Conv2d, ReLU } from '../nn/index.js'
import type { Module } from '../nn/module.js'
import type { Classifier } from './classifier.js'

/** A layer, or an operation of the module's own forward. */
export interface ModuleStep {
  /** 'conv1 3x3', 'relu2', '+', 'concat'. */
  readonly label: string
  /** The steps whose output it reads, by number, the input first; `outside`: what the module is given. */
  readonly reads: readonly number[]
  /** Whether it is an erased ReLU. */
  readonly erased: boolean
}

/** Stands for the module's input among `reads`. */
export const outside = -1

/** The graph of a training step's forward pass with no ReLU erased, since an erased one is no node in it. */
export function wholeGraph(model: Classifier): Graph {
  const { imageSize, inChannels } = model
  const relus = Array.from(model.namedModules(), ([, module]) => module).filter(module => module instanceof ReLU)
  const erased = relus.filter(relu => relu.erased)
  for (const relu of erased) relu.erased = false
  try {
    const trace = new Trace(true)
    withTrace(trace, () => model(trace.input('images', f32([2, imageSize, imageSize, inChannels]))))
    return trace.graph
  } finally {
    for (const relu of erased) relu.erased = true
  }
}

/** The steps of a module; `paths`: of every module of the model, `graph`: its wholeGraph. */
export function stepsOf(block: BasicModule, paths: ReadonlyMap<Module, string>, graph: Graph): ModuleStep[] {
  const own = new Map(Array.from(block.namedModules(), ([path, module]) => [paths.get(module), { path, module }]))
  const steps: { label: string; name: string; reads: Set<number>; erased: boolean }[] = []
  const writers = new Map<Tensor, number>()
  for (const { name, op, reads, writes } of graph.nodes) {
    const layer = own.get(name)
    if (!layer) continue
    const { path, module } = layer
    const isLeaf = Array.from(module.children()).length === 0
    // A layer of several operations is one step.
    if (!isLeaf || steps.at(-1)?.name !== name) {
      const label = isLeaf ? layerLabel(path, module) : op === 'add' ? '+' : op
      steps.push({ label, name, reads: new Set(), erased: module instanceof ReLU && module.erased })
    }
    const current = steps.length - 1
    for (const tensor of present(reads)) {
      const writer = writers.get(tensor) ?? outside
      if (writer !== current && !graph.parameterOf(tensor)) steps[current]!.reads.add(writer)
    }
    for (const tensor of present(writes)) writers.set(tensor, current)
  }
  return steps.map(({ label, reads, erased }) => ({ label, reads: [...reads], erased }))
}

/** The name of its field, or what it is where fields only count: 'conv1 3x3', 'bn'. */
function layerLabel(path: string, module: Module): string {
  const field = path.split('.').at(-1)!
  const name = /^\d*$/.test(field) ? shortType(module) : field
  if (!(module instanceof Conv2d)) return name
  const { kernel } = module
  return `${name} ${typeof kernel === 'number' ? `${kernel}x${kernel}` : kernel.join('x')}`
}

function shortType({ constructor: { name } }: Module): string {
  return name === 'BatchNorm2d' ? 'bn' : name.replace(/2d$/, '').toLowerCase()
}
