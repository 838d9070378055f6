/** A plan: a compiled graph on a device. One native call a run; the event loop stays free. */
import { addon, type NativePlan, type PlanMemory, type PrepareProgress } from './addon.js'
import { arrayClasses, isFloat16, kindOf, type HostArray, type HostTensor } from './dtype.js'
import { Disposed, fromNative, InvalidArgument } from './errors.js'
import { requireInteger, requireList, requireNumber, requireSignal } from './options.js'
import { checkSeed } from './philox.js'
import type { PlanDesc, TensorEntry } from './plan_desc.js'
import type { EngineChoices } from './policy.js'
import type { Store } from './store.js'
import { didYouMean } from './suggest.js'

export type HostArrays = Readonly<Record<string, HostArray>>

export interface RunOptions {
  /** Key of the random numbers, at least 0; with `step` it decides every dropped element. */
  seed?: number | bigint
  /** An integer of at least 0. */
  step?: number
  /** Of each parameter group; finite. */
  learningRates?: readonly number[]
  /** Stops the run between two operations; the promise then rejects with the signal's reason and the store is unchanged. */
  signal?: AbortSignal | undefined
  /** Measures every node: see `nodeSeconds` of the result. */
  profile?: boolean
  /** How often, one after the other by one native call; default 1. The result is that of the last time. Not with staged inputs. */
  times?: number
}

export interface RunResult {
  readonly outputs: Readonly<Record<string, HostTensor>>
  /** Seconds spent in each node (empty unless asked for). */
  readonly nodeSeconds: readonly number[]
}

/** The inputs of one microbatch, on their way to the device; made by Plan.stage for one run of the same plan. */
export class StagedInputs {
  constructor(
    readonly plan: Plan,
    readonly id: number,
  ) {}
}

export class Plan {
  readonly memory: PlanMemory
  private readonly inputs: readonly TensorEntry[]
  private readonly residents: readonly TensorEntry[]
  private stagedSoFar = 0

  private constructor(
    readonly desc: PlanDesc,
    private handle: NativePlan | undefined,
  ) {
    this.memory = this.native.memory()
    this.inputs = desc.tensors.filter(({ place }) => place === 'input')
    this.residents = desc.tensors.filter(({ place }) => place === 'resident')
  }

  /**
   * Prepares every kernel and plans every buffer; allocates nothing yet. What there is to tell of the choice of engines, such as one that computed
   * wrong, becomes a warning of the process with the code ERASERELU_ENGINE.
   */
  static async create(desc: PlanDesc, store: Store, progress?: PrepareProgress): Promise<Plan> {
    const thrown: unknown[] = []
    const told: PrepareProgress = (prepared, total) => {
      try {
        if (thrown.length === 0) progress?.(prepared, total)
      } catch (error) {
        thrown.push(error)
      }
    }
    let plan: Plan
    try {
      plan = new Plan(desc, await addon().createPlan(desc, store.native, progress && told))
      for (const note of plan.native.notes()) process.emitWarning(note, { type: 'EngineWarning', code: 'ERASERELU_ENGINE' })
    } catch (error) {
      throw fromNative(error)
    }
    if (thrown.length === 0) return plan
    plan.dispose()
    throw thrown[0]
  }

  /** The library implementation behind each node. */
  get engines(): readonly string[] {
    return this.native.engines()
  }

  /** The engines that were chosen under `autotune`. */
  get choices(): EngineChoices {
    return this.native.choices()
  }

  /** Fills a tensor that stays on the device. */
  async setResident(name: string, data: HostArray): Promise<void> {
    const index = this.residents.findIndex(entry => entry.name === name)
    const entry = this.residents[index]
    if (!entry) throw new InvalidArgument(`the plan has no resident tensor '${name}'`)
    checkArray(entry, data)
    try {
      await this.native.setResident(index, data)
    } catch (error) {
      throw fromNative(error)
    }
  }

  /**
   * Begins to bring the inputs of a later run to the device, while another run may be under way. A run with other arrays leaves them
   * where they are; a run with inputs staged later drops them. The arrays are not copied: they must stay as they are until the run
   * that takes them has ended.
   */
  stage(microbatch: HostArrays): StagedInputs {
    const arrays = this.inputArrays(microbatch)
    const id = ++this.stagedSoFar
    try {
      this.native.stage(id, arrays)
    } catch (error) {
      throw fromNative(error)
    }
    return new StagedInputs(this, id)
  }

  /**
   * Runs the plan once over one microbatch or several (their gradients add up before the update).
   * The arrays are copied before this returns to the event loop.
   */
  async run(microbatches: readonly (HostArrays | StagedInputs)[], options: RunOptions = {}): Promise<RunResult> {
    const { seed = 0, step = 0, learningRates = [], signal, profile = false, times = 1 } = options
    if (typeof seed !== 'bigint') checkSeed(seed)
    requireInteger('run', 'step', step, 0)
    requireInteger('run', 'times', times)
    if (times > 1 && microbatches.some(batch => batch instanceof StagedInputs))
      throw new InvalidArgument('run: staged inputs are there for one time only: give the arrays themselves, or leave out times')
    requireList('run', 'learningRates', learningRates, 'numbers')
    learningRates.forEach((rate, i) => requireNumber('run', `learningRates[${i}]`, rate, 'that is finite', Number.isFinite))
    requireSignal('run', signal)
    signal?.throwIfAborted()
    const arrays = microbatches.map(batch => (batch instanceof StagedInputs ? this.stagedId(batch) : this.inputArrays(batch)))
    const request = { microbatches: arrays, seed: BigInt.asUintN(64, BigInt(seed)), step, learningRates, profile, times }
    let run: ReturnType<NativePlan['run']>
    try {
      run = this.native.run(request)
    } catch (error) {
      throw fromNative(error)
    }
    signal?.addEventListener('abort', run.abort, { once: true })
    try {
      const { outputs, nodeSeconds } = await run.promise
      const named = this.desc.outputs.map(({ name, tensor }, i) => {
        const { shape, dtype } = this.desc.tensors[tensor]!
        return [name, { shape, data: outputs[i]!, ...(isFloat16(dtype) && { dtype }) }]
      })
      return { outputs: Object.fromEntries(named) as RunResult['outputs'], nodeSeconds }
    } catch (error) {
      if ((error as { code?: string }).code === 'Aborted') signal?.throwIfAborted()
      throw fromNative(error)
    } finally {
      signal?.removeEventListener('abort', run.abort)
    }
  }

  dispose(): void {
    this.handle?.dispose()
    this.handle = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  private get native(): NativePlan {
    if (!this.handle) throw new Disposed('the plan was disposed')
    return this.handle
  }

  private stagedId({ plan, id }: StagedInputs): number {
    if (plan !== this) throw new InvalidArgument('these inputs were staged for another plan')
    return id
  }

  private inputArrays(batch: HostArrays): HostArray[] {
    const names = this.inputs.map(({ name }) => name)
    if (typeof batch !== 'object' || batch === null)
      throw new InvalidArgument(`expected an object with the inputs ${names.join(', ')}, got ${kindOf(batch)}`)
    for (const name of Object.keys(batch)) {
      if (!names.includes(name))
        throw new InvalidArgument(`there is no input '${name}': inputs are ${names.join(', ')}.${didYouMean(name, names)}`)
    }
    return this.inputs.map(entry => {
      const data = batch[entry.name]
      if (data === undefined)
        throw new InvalidArgument(
          `the input '${entry.name}' is missing: give a ${arrayClasses[entry.dtype].name} of shape [${entry.shape.join(', ')}]`,
        )
      checkArray(entry, data)
      return data
    })
  }
}

function checkArray({ name, dtype, shape }: TensorEntry, data: HostArray): void {
  const wanted = arrayClasses[dtype]
  const size = shape.reduce((product, dim) => product * dim, 1)
  if (!(data instanceof wanted)) throw new InvalidArgument(`'${name}' must be a ${wanted.name}, got ${kindOf(data)}`)
  if (data.length !== size) {
    throw new InvalidArgument(`'${name}' must have ${size} elements (shape [${shape.join(', ')}]), got ${data.length}`)
  }
}
