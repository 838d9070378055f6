/** Which basic modules of a model are of the same kind, and what is erased in them. */
import { BasicModule } from '../nn/basic_module.js'
import type { Classifier } from './classifier.js'
import { stepsOf, wholeGraph, type ModuleStep } from './module_steps.js'

/** One basic module of a model. */
export interface ModuleChains {
  /** 'layer1.0' */
  readonly name: string
  /** The number of its kind. */
  readonly kind: number
  /** Its ReLUs in the order of execution, one chain a branch. */
  readonly chains: readonly (readonly { readonly name: string; readonly erased: boolean }[])[]
}

/** Modules that compute the same, with whatever channels, and have the same ReLUs erased where they are treated. */
export interface ModuleKind {
  /** 'BasicBlock' */
  readonly type: string
  /** The numbers of the modules of this kind, from 0 in the order of the model. */
  readonly modules: readonly number[]
  /** The numbers of those in which a ReLU is erased. */
  readonly treated: readonly number[]
  /** Of a treated one, where there is one. */
  readonly steps: readonly ModuleStep[]
}

/** Every basic module of the model, and their kinds in the order in which they first appear. */
export function moduleKinds(model: Classifier): { modules: ModuleChains[]; kinds: ModuleKind[] } {
  const paths = new Map(Array.from(model.namedModules(), ([path, module]) => [module, path]))
  const graph = wholeGraph(model)
  const all = [...paths.keys()]
    .filter(module => module instanceof BasicModule)
    .map(module => {
      const type = module.constructor.name
      const steps = stepsOf(module, paths, graph)
      const treated = steps.some(({ erased }) => erased)
      const computes = JSON.stringify([type, steps.map(({ label, reads }) => [label, reads])])
      return { module, type, steps, treated, computes }
    })

  const kinds: { type: string; modules: number[]; treated: number[]; steps: ModuleStep[]; key: string }[] = []
  const kindOf = all.map((one, index) => {
    // One that is not treated is drawn as the first treated one that computes the same.
    const drawn = one.treated ? one : (all.find(({ treated, computes }) => treated && computes === one.computes) ?? one)
    const key = JSON.stringify([one.computes, drawn.steps])
    let kind = kinds.findIndex(known => known.key === key)
    if (kind < 0) kind = kinds.push({ type: one.type, modules: [], treated: [], steps: drawn.steps, key }) - 1
    kinds[kind]!.modules.push(index)
    if (one.treated) kinds[kind]!.treated.push(index)
    return kind
  })

  return {
    modules: all.map(({ module }, index) => ({
      name: paths.get(module)!,
      kind: kindOf[index]!,
      chains: module.chains().map(chain => chain.map(relu => ({ name: paths.get(relu)!, erased: relu.erased }))),
    })),
    kinds: kinds.map(({ type, modules, treated, steps }) => ({ type, modules, treated, steps })),
  }
}
