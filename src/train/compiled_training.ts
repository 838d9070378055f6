/** The compiled half of a trainer: the store with all training state, the plans, and what is done with them. */
import { scalesLoss } from '../graph/precision.js'
import type { Grouping } from '../optim/index.js'
import type { PlanMemory } from '../runtime/addon.js'
import { NotFinite } from '../runtime/errors.js'
import { Plan, type HostArrays, type RunOptions, type RunResult, type StagedInputs } from '../runtime/plan.js'
import type { EngineChoices } from '../runtime/policy.js'
import { state as stateIndex, Store, type ArenaName } from '../runtime/store.js'
import type { Evaluation } from './events.js'
import { measure } from './evaluate.js'
import type { Feed } from './feed.js'
import { initialState, mostSkippedInARow, restoredState } from './loss_scaling.js'
import type { LowMemory } from './low_memory.js'
import { arenasFor, evaluationPlan, trainingPlan, type TrainingOptions } from './training_plan.js'

/** Planned memory in bytes, known before activations are allocated. */
export interface TrainerMemory extends PlanMemory {
  /** Parameters, optimizer state and moving averages. */
  readonly store: number
  /** All of it together. */
  readonly planned: number
  /** What memory 'low' gives and costs; undefined with memory 'normal'. */
  readonly low: LowMemory | undefined
}

/** The trained weights, or their moving average. */
export type WeightsView = 'weights' | 'ema'

export interface Feeds {
  readonly train: Feed
  readonly test: Feed | undefined
}

/** What a step needs beside its images. */
export type StepParams = Required<Pick<RunOptions, 'seed' | 'step' | 'learningRates'>> & Pick<RunOptions, 'signal'>

/** The batches of one step. The arrays stay as they are until the step has ended: it may have to be repeated. */
export interface StagedStep {
  readonly microbatches: readonly HostArrays[]
  readonly staged: readonly StagedInputs[]
}

export class CompiledTraining {
  /** One evaluation plan a view, made when it is first needed. */
  private readonly evaluations = new Map<WeightsView, Promise<Plan>>()
  private memoryOfEvaluation: PlanMemory | undefined
  private choicesOfEvaluation: EngineChoices = {}

  private constructor(
    private readonly feeds: Feeds,
    private readonly options: TrainingOptions,
    readonly store: Store,
    private readonly training: Plan,
    readonly grouping: Grouping,
    private readonly low: LowMemory | undefined,
  ) {}

  /** Compiles the step and the evaluation, and fills the store from the model's parameters. */
  static async create(feeds: Feeds, options: TrainingOptions): Promise<CompiledTraining> {
    const { layout, device, optimizer, ema } = options
    const { desc, grouping, low } = trainingPlan(feeds.train, options)
    const store = await Store.create(device, arenasFor(layout, optimizer, ema))
    let training: Plan | undefined
    try {
      training = await Plan.create(desc, store, options.engines?.onPrepare)
      for (const parameter of layout.entries) {
        await store.write('weights', layout.offsetOf(parameter), parameter.data)
        if (ema) await store.write('ema', layout.offsetOf(parameter), parameter.data)
      }
      await store.write('state', 0, initialState(scalesLoss(options.precision ?? 'f32')))
      await feeds.train.prepare(training)
      const compiled = new CompiledTraining(feeds, options, store, training, grouping, low)
      if (feeds.test) {
        const evaluation = await compiled.evaluation(compiled.evaluated, feeds.test)
        compiled.memoryOfEvaluation = evaluation.memory
        compiled.choicesOfEvaluation = evaluation.choices
      }
      return compiled
    } catch (error) {
      training?.dispose()
      store.dispose()
      throw error
    }
  }

  /** What evaluation looks at unless told otherwise: the moving average, where there is one. */
  get evaluated(): WeightsView {
    return this.options.ema ? 'ema' : 'weights'
  }

  get memory(): TrainerMemory {
    const { memory } = this.training
    const plans = [memory, ...(this.memoryOfEvaluation ? [this.memoryOfEvaluation] : [])]
    const own = plans.reduce((sum, { inputs, resident, packed }) => sum + inputs + resident + packed, 0)
    const arena = Math.max(...plans.map(plan => plan.arena))
    return { ...memory, store: this.store.bytes, planned: arena + own + this.store.bytes, low: this.low }
  }

  /** The engines that were chosen under autotune. */
  get choices(): EngineChoices {
    return { ...this.training.choices, ...this.choicesOfEvaluation }
  }

  /** Whether the loss is scaled, so that a step which is not finite is skipped at first. */
  get scalesLoss(): boolean {
    return scalesLoss(this.options.precision ?? 'f32')
  }

  /** Begins to bring the batches of a later step to the device, while a step may be under way. */
  stage(microbatches: readonly HostArrays[]): StagedStep {
    return { microbatches, staged: microbatches.map(arrays => this.training.stage(arrays)) }
  }

  /**
   * One optimizer step. Where the loss or a gradient is not finite the weights stay as they were, and it throws NotFinite; with
   * loss scaling only when that has happened too often in a row.
   */
  async step({ microbatches, staged }: StagedStep, params: StepParams): Promise<RunResult['outputs']> {
    const { outputs } = await this.training.run(staged, params)
    const state = outputs.state!.data
    const fails = state[stateIndex.finite] !== 1 && (!this.scalesLoss || state[stateIndex.skippedInARow]! >= mostSkippedInARow)
    if (fails) await this.explain(microbatches, params, state)
    return outputs
  }

  async evaluate(test: Feed, which: WeightsView, signal: AbortSignal | undefined): Promise<Evaluation> {
    return measure(await this.evaluation(which, test), test, signal)
  }

  /** Everything a training writes, by arena: what a checkpoint holds. */
  async capture(): Promise<Map<ArenaName, Float32Array>> {
    const arenas = new Map<ArenaName, Float32Array>()
    for (const name of this.store.arenas) arenas.set(name, await this.store.read(name))
    return arenas
  }

  async restore(arenas: ReadonlyMap<ArenaName, Float32Array>): Promise<void> {
    for (const [name, values] of arenas)
      await this.store.write(name, 0, name === 'state' ? restoredState(values, this.scalesLoss) : values)
  }

  /** Copies weights and running statistics, or their averages, into the model's parameters. */
  async writeBack(which: WeightsView): Promise<void> {
    const { layout } = this.options
    await Promise.all(layout.entries.map(each => this.store.readInto(which, layout.offsetOf(each), each.data)))
  }

  async dispose(): Promise<void> {
    for (const evaluation of this.evaluations.values()) (await evaluation.catch(() => undefined))?.dispose()
    this.training.dispose()
    this.store.dispose()
  }

  private evaluation(which: WeightsView, test: Feed): Promise<Plan> {
    let plan = this.evaluations.get(which)
    if (!plan) {
      plan = this.compileEvaluation(which, test)
      this.evaluations.set(which, plan)
      plan.catch(() => this.evaluations.delete(which))
    }
    return plan
  }

  private async compileEvaluation(which: WeightsView, test: Feed): Promise<Plan> {
    const plan = await Plan.create(evaluationPlan(test, this.options, which), this.store, this.options.engines?.onPrepare)
    try {
      await test.prepare(plan)
      return plan
    } catch (error) {
      plan.dispose()
      throw error
    }
  }

  /** A step whose loss or gradient is not finite changed nothing; repeats it in checked mode to name the layer. */
  private async explain(
    microbatches: readonly HostArrays[],
    { seed, step, learningRates }: StepParams,
    state: RunResult['outputs'][string]['data'],
  ): Promise<never> {
    const scaled = this.scalesLoss
      ? `, loss scale ${state[stateIndex.lossScale]!} after ${mostSkippedInARow} skipped steps in a row`
      : ''
    const where = `step ${step + 1} (learning rate ${learningRates[0]!}${scaled}): the loss or its gradient is not finite. The weights of the step before were kept.`
    try {
      await this.repeatChecked(microbatches, { seed, step })
    } catch (error) {
      const reason = (error as Error).message
      if (!(error instanceof NotFinite))
        throw new NotFinite(`${where} Which layer began could not be found: ${reason}`, { cause: error })
      throw new NotFinite(`${where} ${reason}. A lower learning rate, warm-up or clipGradNorm may help.`)
    }
    throw new NotFinite(`${where} Repeated operation by operation, every value was finite.`)
  }

  private async repeatChecked(
    microbatches: readonly HostArrays[],
    { seed, step }: Pick<StepParams, 'seed' | 'step'>,
  ): Promise<void> {
    const { desc } = trainingPlan(this.feeds.train, { ...this.options, checked: true })
    const gradientOnly = { ...desc, nodes: desc.nodes.filter(({ section }) => section === 'gradient') }
    using plan = await Plan.create(gradientOnly, this.store)
    await this.feeds.train.prepare(plan)
    await plan.run(microbatches, { seed, step })
  }
}
