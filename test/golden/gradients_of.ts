/** Traces a function in training, differentiates it, and runs both passes on a device. */
import { differentiate } from '../../src/graph/autodiff.js'
import type { Parameter } from '../../src/graph/parameter.js'
import { removeDeadCode } from '../../src/graph/passes/dead_code.js'
import { fuse } from '../../src/graph/passes/fuse.js'
import { lower } from '../../src/graph/passes/lower.js'
import { placeConcats } from '../../src/graph/passes/place_concats.js'
import { recompute } from '../../src/graph/passes/recompute.js'
import { serialise } from '../../src/graph/serialise.js'
import { f32, type Tensor } from '../../src/graph/tensor.js'
import { Trace, withTrace } from '../../src/graph/trace.js'
import { dtypeOf, type HostTensor } from '../../src/runtime/dtype.js'
import { Plan, type HostArrays } from '../../src/runtime/plan.js'
import { state, Store } from '../../src/runtime/store.js'
import { StoreLayout } from '../../src/runtime/store_layout.js'

export interface Traced {
  readonly loss: Tensor
  readonly outputs: Readonly<Record<string, Tensor>>
}

type Results = Readonly<Record<string, HostTensor>>

/** Resolves with the outputs by name, and the gradient of the loss for every trainable parameter, 'gradient/<its name>'. */
export async function gradientsOf(
  device: string,
  parameters: readonly Parameter[],
  inputs: Results,
  forward: (inputs: Record<string, Tensor>) => Traced,
): Promise<Results> {
  using plan = await GradientPlan.create(device, parameters, inputs, forward)
  return await plan.run()
}

/** The compiled function: may run more than once, with parameters that change between the runs. */
export class GradientPlan {
  private constructor(
    private readonly plan: Plan,
    private readonly store: Store,
    private readonly layout: StoreLayout<Parameter>,
    private readonly arrays: HostArrays,
  ) {}

  static async create(
    device: string,
    parameters: readonly Parameter[],
    inputs: Results,
    forward: (inputs: Record<string, Tensor>) => Traced,
  ): Promise<GradientPlan> {
    const trace = new Trace(true)
    const { graph } = trace
    const { loss, outputs } = withTrace(trace, () => {
      const types = Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, dtype: dtypeOf(data) }] as const)
      return forward(Object.fromEntries(types.map(([name, type]) => [name, trace.input(name, type)])))
    })
    for (const [name, tensor] of Object.entries(outputs)) graph.outputs.set(name, tensor)
    const kept = new Set(graph.outputs.values())
    fuse(graph, kept)
    differentiate(
      graph,
      loss,
      parameters.filter(({ trainable }) => trainable),
    )
    for (const [parameter, tensor] of graph.gradients) graph.outputs.set(`gradient/${parameter.name}`, tensor)
    // All zero, so the running statistics stay as they are: the update waits for state[finite].
    const layout = new StoreLayout(parameters)
    lower(graph, { state: graph.source(f32([state.size]), 'state', { kind: 'arena', arena: 'state' }), layout })
    removeDeadCode(graph, kept)
    placeConcats(graph)
    recompute(graph)

    const store = await Store.create(device, { weights: layout.size, state: state.size })
    const wholeStep = new Set<Tensor>()
    const desc = serialise(graph, { device, checked: false, layout, parameters: 'weights', regions: [], wholeStep })
    const arrays = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]))
    return new GradientPlan(await Plan.create(desc, store), store, layout, arrays)
  }

  /** The library implementation behind each operation, with the operation's name. */
  get engines(): readonly { readonly op: string; readonly engine: string }[] {
    return this.plan.engines.map((engine, i) => ({ op: this.plan.desc.nodes[i]!.op, engine }))
  }

  /** Runs with the values that the parameters have now. */
  async run(): Promise<Results> {
    const { store, layout } = this
    for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
    return (await this.plan.run([this.arrays])).outputs
  }

  [Symbol.dispose](): void {
    this.plan.dispose()
    this.store.dispose()
  }
}
