/** compile(): a model and the types of its inputs become a Session that runs it. */
import type { PlanMemory } from '../runtime/addon.js'
import { kindOf, type DType, type HostArray, type HostTensor, type Shape } from '../runtime/dtype.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireKnownOptions, requireList, requireOneOf, requireShape } from '../runtime/options.js'
import { Plan } from '../runtime/plan.js'
import type { PlanDesc } from '../runtime/plan_desc.js'
import { checkEngineOptions, engineOptionNames, policyOf, type EngineOptions } from '../runtime/policy.js'
import { Store } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import type { Parameter } from './parameter.js'
import { activationType, checkPrecision, type Precision } from './precision.js'
import { foldBatchNorm } from './passes/fold_batch_norm.js'
import { fuse } from './passes/fuse.js'
import { checkDisabledPasses, passSwitch, type PassName } from './passes/optional.js'
import { removeDeadCode } from './passes/dead_code.js'
import { placeConcats } from './passes/place_concats.js'
import { usePrecision } from './passes/precision.js'
import { tile } from './passes/tile.js'
import { serialise } from './serialise.js'
import { Tensor } from './tensor.js'
import { Trace, withTrace } from './trace.js'

/** What compile needs of a model: a callable that appends nodes to the open trace. Every nn.Module is one. */
export interface Traceable {
  (...inputs: Tensor[]): Tensor
  /** Gives every module and parameter its path as its name. */
  assignNames(): void
  /** All parameters and running statistics, by their paths. */
  namedParameters(): Iterable<[string, Parameter]>
}

/** Type of an input of `forward`. */
export interface InputType {
  /** Positive integers, the batch first: [N, H, W, C] for images. */
  readonly shape: Shape
  /** f32 (default), i32 or u8. */
  readonly dtype?: DType
}

/** Options of `compile`. */
export interface CompileOptions extends EngineOptions {
  /** The inputs of `forward`, in order: name and type. The first dimension is the batch. */
  inputs: Readonly<Record<string, InputType>>
  /** 'cpu' (default) or 'reference'. */
  device?: string
  /** Layers whose outputs are returned as well, by path: ['layer1.0.bn2']. Keeps them from being fused away. */
  peek?: readonly string[]
  /** Run unfused, node by node, and fail at the first value that is not finite, naming the layer. Slow; needs much memory. */
  checked?: boolean
  /** Passes that are left out, of those that only make a plan faster or smaller: 'tile', … Default: none. */
  disabledPasses?: readonly PassName[]
  /** The type of activations; what is returned is f32. 'tf32' and 'f16' need a device 'cuda', 'bf16' that or a CPU with bf16 instructions. Default 'f32'. */
  precision?: Precision
}

/**
 * Compiles a model for inference (running statistics, no dropout). The session holds a copy of the parameters as they are
 * now. Throws InvalidArgument for shapes that do not fit, naming the layer.
 */
export async function compile(model: Traceable, options: CompileOptions): Promise<Session> {
  const { desc, layout } = inferencePlan(model, options)
  const store = await Store.create(desc.device, { weights: layout.size })
  try {
    for (const parameter of layout.entries) await store.write('weights', layout.offsetOf(parameter), parameter.data)
    return new Session(await Plan.create(desc, store, options.onPrepare), store)
  } catch (error) {
    store.dispose()
    throw error
  }
}

/** What compile() makes a session of: the plan, and the parameters that it reads. */
export function inferencePlan(
  model: Traceable,
  options: CompileOptions,
): { readonly desc: PlanDesc; readonly layout: StoreLayout<Parameter> } {
  checkOptions(model, options)
  const { inputs, device = 'cpu', peek = [], checked = false, precision = 'f32', disabledPasses } = options
  model.assignNames()
  const trace = new Trace(false)
  const { graph } = trace
  const tensors = Object.entries(inputs).map(([name, type]) => trace.input(name, inputType(name, type)))
  const output = withTrace(trace, () => model(...tensors))
  if (!(output instanceof Tensor)) throw new InvalidArgument(`compile: forward must return a Tensor, got ${kindOf(output)}`)
  graph.outputs.set('output', output)
  for (const name of peek) graph.outputs.set(name, peeked(trace, name))

  const runs = passSwitch({ disabledPasses, checked })
  const kept = new Set(graph.outputs.values())
  if (runs('fold-batch-norm')) foldBatchNorm(graph, kept)
  if (runs('fuse')) fuse(graph, kept)
  const layout = new StoreLayout(graph.readParameters())
  usePrecision(graph, { type: activationType(precision), layout, parameters: 'weights' })
  removeDeadCode(graph, new Set())

  if (runs('place-concats')) placeConcats(graph)
  const regions = runs('tile') ? tile(graph.nodes, device) : []
  const plain = { parameters: 'weights', wholeStep: new Set<Tensor>() } as const
  const policy = policyOf(options, { tf32: precision === 'tf32', ownConvolutions: runs('own-convolutions') })
  return {
    desc: serialise(graph, { ...plain, device, checked, policy, layout, regions, chunkMemory: runs('chunk-memory') }),
    layout,
  }
}

function checkOptions(model: Traceable, options: CompileOptions): void {
  const where = 'compile'
  if (typeof model !== 'function' || !('namedParameters' in model)) {
    throw new InvalidArgument(
      `${where}: the model must be a Module: one from models.create(), or a class of your own that extends Module`,
    )
  }
  requireKnownOptions(where, options, [
    'inputs',
    'device',
    'peek',
    'checked',
    'disabledPasses',
    'precision',
    ...engineOptionNames,
  ])
  const { inputs, device = 'cpu', peek = [], checked = false, precision = 'f32', disabledPasses } = options
  if (typeof inputs !== 'object' || inputs === null) {
    throw new InvalidArgument(
      `${where}: inputs must name the inputs of forward and their types: { x: { shape: [1, 224, 224, 3] } }`,
    )
  }
  requireList(where, 'peek', peek, "layers such as 'layer1.0.bn2'")
  requireBoolean(where, 'checked', checked)
  checkDisabledPasses(where, disabledPasses)
  checkPrecision(where, precision, device)
  checkEngineOptions(where, options)
}

function peeked(trace: Trace, name: string): Tensor {
  const tensor = trace.lookup(name)
  if (name === 'output') {
    throw new InvalidArgument(
      "peek: a layer called 'output' cannot be peeked, because run() returns the model's own output under that name: rename the layer",
    )
  }
  return tensor
}

function inputType(name: string, type: InputType) {
  requireKnownOptions(`input '${name}'`, type, ['shape', 'dtype'])
  const { shape, dtype = 'f32' } = type
  requireOneOf(`input '${name}'`, 'dtype', dtype, ['f32', 'i32', 'u8'])
  requireShape(`input '${name}'`, shape)
  return { shape, dtype }
}

/** Memory of a session in bytes. */
export interface SessionMemory extends PlanMemory {
  /** Bytes of the parameters. */
  readonly parameters: number
  /** All planned bytes together. */
  readonly planned: number
}

/** The library implementation behind an operation. */
export interface LayerEngine {
  /** The path of the layer: 'layer1.0.conv1'. */
  readonly layer: string
  /** The operation, as docs/vocabulary.md calls it. */
  readonly op: string
  /** What runs: 'dnnl brgconv:avx512_core'. */
  readonly engine: string
}

/** A compiled model. Runs are queued and executed one after the other, off the JavaScript thread. */
export class Session {
  /** Planned memory; nothing more is allocated later. */
  readonly memory: SessionMemory

  /** For compile(). */
  constructor(
    private readonly plan: Plan,
    private readonly store: Store,
  ) {
    const { memory } = plan
    const planned = memory.arena + memory.inputs + memory.resident + memory.packed + store.bytes
    this.memory = { ...memory, parameters: store.bytes, planned }
  }

  /**
   * Runs the model on the inputs by name; resolves with `output` and the outputs of the peeked layers. The input arrays may
   * be changed as soon as this returns.
   */
  async run(
    inputs: Readonly<Record<string, HostArray>>,
    options: { signal?: AbortSignal } = {},
  ): Promise<Readonly<Record<string, HostTensor>>> {
    const { outputs } = await this.plan.run([inputs], options)
    return outputs
  }

  /** The library implementation behind each operation, by layer: for reports and tests. */
  get engines(): readonly LayerEngine[] {
    const { engines } = this.plan
    return this.plan.desc.nodes.map(({ name, op }, i) => ({ layer: name, op, engine: engines[i]! }))
  }

  /** Frees the memory. Idempotent; a later run rejects with Disposed. */
  dispose(): void {
    this.plan.dispose()
    this.store.dispose()
  }

  /** The same as dispose(), for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }
}
