/** Trainer: a model, its data and an optimizer; `fit()` trains and tells how it goes. */
import type { BatchStream } from '../data/batch_stream.js'
import type { DataSource } from '../data/dataset.js'
import type { Parameter } from '../graph/parameter.js'
import type { Module } from '../nn/module.js'
import { constant, type Ema, type Grouping, type Optimizer, type Schedule } from '../optim/index.js'
import type { PlanMemory } from '../runtime/addon.js'
import { Disposed, EraseReLUError, InvalidArgument, NotFinite } from '../runtime/errors.js'
import { requireSignal } from '../runtime/options.js'
import { Plan, type HostArrays } from '../runtime/plan.js'
import { state as stateIndex, Store } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { Averages } from './averages.js'
import type { Evaluation, TrainingEvent } from './events.js'
import { ResidentFeed, StreamFeed, type Feed } from './feed.js'
import { checkFit, checkOptions } from './trainer_options.js'
import { arenasFor, evaluationPlan, trainingPlan, type Loss, type StepOptions, type TrainingOptions } from './training_plan.js'

export interface TrainerOptions {
  /** From data.open, data.fromArrays or data.fromBatches. */
  data: DataSource | BatchStream
  /** From optim.sgd or optim.adamw. */
  optimizer: Optimizer
  /** Images a microbatch. */
  batchSize: number
  /** How often every training image is seen. */
  epochs: number
  /** Of the order of the images, augmentation and dropout; default 0. (The initial weights have the model's own seed.) */
  seed?: number
  /** Factor on the learning rate; default constant. */
  schedule?: Schedule
  /** Default: softmax cross-entropy with labelSmoothing. */
  loss?: Loss
  labelSmoothing?: number
  /** Microbatches a step: their gradients are averaged before the update. Default 1. */
  accumulate?: number
  /** Scales the gradient down to this norm where it is larger. */
  clipGradNorm?: number
  /** A moving average of the weights; evaluation then uses it, and `writeBack('ema')` brings it into the model. */
  ema?: Ema
  /** 'cpu' (default) or 'reference'. */
  device?: string
  /** Images an evaluation batch; default batchSize. */
  evalBatchSize?: number
  /** See compile(); default true. */
  tiled?: boolean
}

/** Planned memory in bytes, known before activations are allocated. */
export interface TrainerMemory extends PlanMemory {
  /** Parameters, optimizer state and moving averages. */
  readonly store: number
  /** All of it together. */
  readonly planned: number
}

export interface FitOptions {
  /** Ends the training between two operations; `fit` then throws the signal's reason. The weights of the last full step stay. */
  signal?: AbortSignal
}

interface Compiled {
  store: Store
  training: Plan
  grouping: Grouping
  evaluation: Plan | undefined
}

/**
 * Trains a model. What is trained (`trainable`) and which ReLUs are erased is taken from the model as it is when the trainer
 * is made and first used; later changes do not reach the compiled step. Throws InvalidArgument for options that are wrong or
 * do not fit together, naming them.
 */
export class Trainer {
  private readonly options: Required<Omit<TrainerOptions, 'loss' | 'ema'>> & { loss: Loss | undefined; ema: Ema | undefined }
  private readonly layout: StoreLayout<Parameter>
  private readonly trainFeed: Feed
  private readonly testFeed: Feed | undefined
  private compiled: Promise<Compiled> | undefined
  private disposed = false
  private fitting = false
  private stepsDone = 0
  private epochsDone = 0
  /** Of the epoch that is under way. */
  private averages = new Averages()

  constructor(
    private readonly model: Module,
    options: TrainerOptions,
  ) {
    checkOptions(options)
    const { data, optimizer, batchSize, epochs, seed = 0, schedule = constant(), labelSmoothing = 0, accumulate = 1 } = options
    const { clipGradNorm = 0, device = 'cpu', evalBatchSize = batchSize, tiled = true, loss, ema } = options
    this.options = {
      data,
      optimizer,
      batchSize,
      epochs,
      seed,
      schedule,
      labelSmoothing,
      accumulate,
      clipGradNorm,
      device,
      evalBatchSize,
      tiled,
      loss,
      ema,
    }
    checkFit(model, data)
    model.assignNames()
    this.layout = new StoreLayout(model.parameters())
    if (this.layout.trainedSize === 0) throw new InvalidArgument('Trainer: the model has no trainable parameter')
    if ('kind' in data) {
      this.trainFeed = new StreamFeed(data, batchSize, data.train)
      this.testFeed = data.test && new StreamFeed(data, evalBatchSize, data.test)
    } else {
      this.trainFeed = new ResidentFeed(data, data.train, { batchSize, seed, training: true, dropLast: true })
      this.testFeed =
        data.test.size > 0
          ? new ResidentFeed(data, data.test, { batchSize: evalBatchSize, seed, training: false, dropLast: false })
          : undefined
    }
    if (this.stepsPerEpoch < 1) {
      throw new InvalidArgument(
        `Trainer: accumulate ${accumulate} is more than the ${this.trainFeed.batchesPerEpoch} batches of an epoch`,
      )
    }
  }

  /** Optimizer steps of an epoch: its full batches, divided by `accumulate`. */
  get stepsPerEpoch(): number {
    return Math.floor(this.trainFeed.batchesPerEpoch / this.options.accumulate)
  }

  /** Compiles the training step, if that has not been done, and tells its planned memory; allocates only store and data set. */
  async memory(): Promise<TrainerMemory> {
    const { training, evaluation, store } = await this.compile()
    const { memory } = training
    const shared = Math.max(memory.arena, evaluation?.memory.arena ?? 0)
    const own = [memory, ...(evaluation ? [evaluation.memory] : [])].reduce(
      (sum, { inputs, resident, packed }) => sum + inputs + resident + packed,
      0,
    )
    return { ...memory, store: store.bytes, planned: shared + own + store.bytes }
  }

  /** Trains for what remains of the epochs, from where an earlier fit was left. Ends at the end of the iteration, by `signal`, or when the loop is left. */
  async *fit({ signal }: FitOptions = {}): AsyncGenerator<TrainingEvent, void> {
    requireSignal('Trainer.fit', signal)
    if (this.fitting) throw new InvalidArgument('Trainer: fit() is already running; wait for it to end')
    this.fitting = true
    try {
      await this.compile()
      yield* this.epochs(signal)
    } finally {
      this.fitting = false
      if (!this.disposed) await this.writeBack()
    }
  }

  /** Measures the model on the test images, with the moving average of the weights if there is one. */
  async evaluate({ signal }: FitOptions = {}): Promise<Evaluation> {
    const { evaluation } = await this.compile()
    if (!evaluation || !this.testFeed)
      throw new InvalidArgument(`Trainer: the data '${this.options.data.name}' has no test images to evaluate on`)
    const averages = new Averages()
    for await (const { arrays } of this.testFeed.batches(0)) averages.add((await evaluation.run([arrays], { signal })).outputs)
    return averages.evaluation()
  }

  /**
   * Copies the trained weights and statistics, or their moving average, into the model's parameters. fit() does it with the
   * weights after every epoch and at its end; training goes on from the weights in any case.
   */
  async writeBack(which: 'weights' | 'ema' = 'weights'): Promise<void> {
    if (which === 'ema' && !this.options.ema)
      throw new InvalidArgument('Trainer.writeBack: there is no moving average; give the trainer `ema`')
    const { store } = await this.compile()
    const weights = await store.read(which)
    for (const parameter of this.layout.entries) {
      const offset = this.layout.offsetOf(parameter)
      parameter.data.set(weights.subarray(offset, offset + parameter.size))
    }
  }

  /** Frees all native memory. Idempotent. The model keeps the weights of the last epoch (or use after fit has ended). */
  async dispose(): Promise<void> {
    this.disposed = true
    const compiled = await this.compiled?.catch(() => undefined)
    compiled?.training.dispose()
    compiled?.evaluation?.dispose()
    compiled?.store.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  private async *epochs(signal: AbortSignal | undefined): AsyncGenerator<TrainingEvent, void> {
    const { epochs } = this.options
    const start = performance.now()
    let trainingSeconds = 0
    let images = 0
    let test: Evaluation | undefined
    for (let epoch = this.epochsDone; epoch < epochs; epoch = this.epochsDone) {
      const began = performance.now()
      const before = this.averages.images
      for await (const event of this.steps(epoch, signal)) yield event
      const seconds = (performance.now() - began) / 1000
      const fresh = this.averages.images - before
      trainingSeconds += seconds
      images += fresh
      if (this.testFeed) test = await this.evaluate({ ...(signal && { signal }) })
      await this.writeBack()
      const { loss, accuracy } = this.averages.evaluation()
      this.averages = new Averages()
      this.epochsDone++
      yield {
        type: 'epoch',
        epoch: epoch + 1,
        epochs,
        step: this.stepsDone,
        train: { loss, accuracy },
        test,
        imagesPerSecond: fresh / seconds,
        seconds,
      }
    }
    const seconds = (performance.now() - start) / 1000
    yield {
      type: 'end',
      step: this.stepsDone,
      epochs,
      test,
      imagesPerSecond: images === 0 ? 0 : images / trainingSeconds,
      seconds,
    }
  }

  private async *steps(epoch: number, signal: AbortSignal | undefined): AsyncGenerator<TrainingEvent, void> {
    const { accumulate } = this.options
    let microbatches: HostArrays[] = []
    let count = 0
    let stepInEpoch = this.stepsDone - epoch * this.stepsPerEpoch
    if (stepInEpoch === this.stepsPerEpoch) return
    let done = stepInEpoch * accumulate
    let before = performance.now()
    let speed = 0
    for await (const batch of this.trainFeed.batches(epoch)) {
      if (done-- > 0) continue
      microbatches.push(batch.arrays)
      count += batch.count
      if (microbatches.length < accumulate) continue
      const { loss, accuracy, learningRate, gradientNorm } = await this.step(microbatches, signal)
      const now = performance.now()
      const fresh = (count / (now - before)) * 1000
      speed = speed === 0 ? fresh : 0.9 * speed + 0.1 * fresh
      before = now
      microbatches = []
      count = 0
      stepInEpoch++
      const { stepsPerEpoch, stepsDone } = this
      yield {
        type: 'step',
        step: stepsDone,
        epoch: epoch + 1,
        stepInEpoch,
        stepsPerEpoch,
        loss,
        accuracy,
        learningRate,
        gradientNorm,
        imagesPerSecond: speed,
      }
      if (stepInEpoch === stepsPerEpoch) return
    }
    throw new InvalidArgument(
      `'${this.options.data.name}': epoch ${epoch + 1} ended after ${stepInEpoch} steps, but batchesPerEpoch promises ${this.stepsPerEpoch}`,
    )
  }

  private async step(microbatches: HostArrays[], signal: AbortSignal | undefined) {
    const { training, grouping } = await this.compile()
    const { optimizer, schedule, epochs, seed, accumulate } = this.options
    const { stepsPerEpoch, stepsDone: step } = this
    const factor = schedule({
      step,
      epoch: step / stepsPerEpoch,
      totalSteps: epochs * stepsPerEpoch,
      totalEpochs: epochs,
      stepsPerEpoch,
    })
    if (typeof factor !== 'number' || !(factor >= 0 && factor < Infinity)) {
      throw new InvalidArgument(
        `Trainer: the schedule gave ${String(factor)} for step ${step + 1}; it must give a finite factor of at least 0`,
      )
    }
    const learningRates = grouping.groups.map(({ lrScale }) => optimizer.lr * lrScale * factor)
    const { outputs } = await training.run(microbatches, { seed, step, learningRates, signal })
    const state = outputs.state!.data
    if (state[stateIndex.finite] !== 1) await this.explain(microbatches, learningRates[0]!)
    this.stepsDone++
    const result = this.averages.add(outputs, accumulate)
    return { ...result, learningRate: learningRates[0]!, gradientNorm: state[stateIndex.norm]! }
  }

  /** A step whose loss or gradient is not finite changed nothing; repeats it in checked mode to name the layer. */
  private async explain(microbatches: HostArrays[], learningRate: number): Promise<never> {
    const { store } = await this.compile()
    const where = `step ${this.stepsDone + 1} (learning rate ${learningRate}): the loss or its gradient is not finite. The weights of the step before were kept.`
    const { desc } = trainingPlan(this.trainFeed, { ...this.trainingOptions(), checked: true })
    const gradientOnly = { ...desc, nodes: desc.nodes.filter(({ section }) => section === 'gradient') }
    using plan = await Plan.create(gradientOnly, store)
    await this.trainFeed.prepare(plan)
    try {
      await plan.run(microbatches, { seed: this.options.seed, step: this.stepsDone })
    } catch (error) {
      if (error instanceof NotFinite)
        throw new NotFinite(`${where} ${error.message}. A lower learning rate, warm-up or clipGradNorm may help.`)
      throw error
    }
    throw new NotFinite(`${where} Repeated operation by operation, every value was finite.`)
  }

  private stepOptions(): StepOptions {
    const { device, tiled, loss, labelSmoothing, data } = this.options
    const numClasses = 'kind' in data ? data.numClasses : data.train.numClasses
    return { model: this.model, layout: this.layout, device, tiled, checked: false, numClasses, loss, labelSmoothing }
  }

  private trainingOptions(): TrainingOptions {
    const { optimizer, ema, accumulate, clipGradNorm } = this.options
    return { ...this.stepOptions(), optimizer, ema, accumulate, clipGradNorm }
  }

  private compile(): Promise<Compiled> {
    if (this.disposed) throw new Disposed('the trainer was disposed')
    this.compiled ??= this.compileOnce().catch((error: unknown) => {
      this.compiled = undefined
      throw error
    })
    return this.compiled
  }

  private async compileOnce(): Promise<Compiled> {
    const { layout, trainFeed, testFeed } = this
    const { optimizer, ema, device, data } = this.options
    const evaluated = ema ? 'ema' : 'weights'
    let descs
    try {
      descs = {
        ...trainingPlan(trainFeed, this.trainingOptions()),
        evaluation: testFeed && evaluationPlan(testFeed, this.stepOptions(), evaluated),
      }
    } catch (error) {
      throw error instanceof EraseReLUError ? withData(error, data) : error
    }
    const store = await Store.create(device, arenasFor(layout, optimizer, ema))
    const plans: Plan[] = []
    try {
      const training = await Plan.create(descs.desc, store)
      plans.push(training)
      const evaluation = descs.evaluation && (await Plan.create(descs.evaluation, store))
      if (evaluation) plans.push(evaluation)
      for (const parameter of layout.entries) {
        await store.write('weights', layout.offsetOf(parameter), parameter.data)
        if (ema) await store.write('ema', layout.offsetOf(parameter), parameter.data)
      }
      const initialState = new Float32Array(stateIndex.size)
      initialState[stateIndex.lossScale] = 1
      await store.write('state', 0, initialState)
      await trainFeed.prepare(training)
      if (evaluation) await testFeed?.prepare(evaluation)
      return { store, training, grouping: descs.grouping, evaluation }
    } catch (error) {
      for (const plan of plans) plan.dispose()
      store.dispose()
      throw error
    }
  }
}

/** Says which data the model was traced on. */
function withData(error: EraseReLUError, data: DataSource | BatchStream): EraseReLUError {
  const shape = 'kind' in data ? data.shape : data.train.shape
  if (error instanceof InvalidArgument)
    return new InvalidArgument(`${error.message} (while tracing the model on '${data.name}', images ${shape.join('x')})`, {
      cause: error,
    })
  return error
}
