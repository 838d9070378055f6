/** Trainer: a model, its data and an optimizer; `fit()` trains and tells how it goes. */
import type { Parameter } from '../graph/parameter.js'
import type { PassName } from '../graph/passes/optional.js'
import type { Memory } from '../graph/passes/recompute.js'
import type { Precision } from '../graph/precision.js'
import type { Module } from '../nn/module.js'
import type { Ema, Optimizer, Schedule } from '../optim/index.js'
import { Disposed, InvalidArgument } from '../runtime/errors.js'
import { requireOneOf, requireSignal } from '../runtime/options.js'
import type { EngineChoices, EngineOptions } from '../runtime/policy.js'
import { state as stateIndex } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { Averages } from './averages.js'
import { CompiledTraining, type StagedStep, type TrainerMemory, type WeightsView } from './compiled_training.js'
import type { Evaluation, TrainingEvent } from './events.js'
import type { Feed } from './feed.js'
import { testFeedOf, trainFeedOf, type TrainingData } from './feeds.js'
import type { ResumableTraining } from './fit_in_folder.js'
import { checkFit, checkFitOptions, checkOptions, settingsOf, withDefaults, type CompleteOptions } from './trainer_options.js'
import { StepLoader } from './step_loader.js'
import { erasedReLUs, frozenParameters } from './training_description.js'
import type { Loss } from './training_plan.js'

/** Options of `Trainer`. */
export interface TrainerOptions extends EngineOptions {
  /** From data.open, data.imageFolder, data.imageNet, data.fromArrays or data.fromBatches. */
  data: TrainingData
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
  /** Default: softmax cross-entropy with labelSmoothing. With mixup or cutmix one of your own finds the second labels in `batch.mix`. */
  loss?: Loss
  /** Share s of the target that is spread over all classes (1 - s + s/K and s/K), in [0, 1); default 0. */
  labelSmoothing?: number
  /**
   * Mixes every training image with another: α of the Beta(α, α) distribution of its share (Zhang et al. 2017); default 0: no
   * mixup. The accuracy of the training then counts the label with the larger share.
   */
  mixup?: number
  /** Puts a box of another image into every training image, its area by Beta(α, α) (Yun et al. 2019); default 0. With mixup: one of the two, by chance. */
  cutmix?: number
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
  /** Passes that are left out, of those that only make a plan faster or smaller: 'tile', … Default: none. */
  disabledPasses?: readonly PassName[]
  /** The type of activations and their gradients, for training and evaluation; see Precision. Default 'f32'. */
  precision?: Precision
  /**
   * 'low': cheap activations (batch norm with its addition and ReLU, dropout, …) are computed a second time in the backward pass where
   * that takes memory away (activation checkpointing). The same numbers (with `autotune` on a GPU nearly: another kernel may compute
   * them the second time), less memory, some more time; `memory()` tells how much of each. Default 'normal'.
   */
  memory?: Memory
}

/** Options of `Trainer.fit`. */
export interface FitOptions {
  /** Ends the training between two operations; `fit` then throws the signal's reason. The weights of the last full step stay. */
  signal?: AbortSignal
  /**
   * A folder for the run (docs/run-folder.md): settings, metrics, curves, and checkpoints from which a training that was
   * killed goes on to the same bytes. Without it nothing is written.
   */
  outputDir?: string
  /**
   * Take up the newest usable checkpoint of `outputDir`, or start afresh when it has none (true); or take this checkpoint: a
   * folder. Default false: `outputDir` must be new or empty.
   */
  resume?: boolean | string
  /** A checkpoint is written after every epoch, and when this much time has passed since the last; default 60, 0: every step. */
  checkpointSeconds?: number
  /** How many of the newest checkpoints are kept, beside the best; default 3. */
  keepCheckpoints?: number
  /** Written to args.yaml in `outputDir`, for the reader. */
  settings?: Readonly<Record<string, unknown>>
}

/** Options of `Trainer.evaluate`. */
export interface EvaluateOptions {
  /** Ends the evaluation between two operations; `evaluate` then throws the signal's reason. */
  signal?: AbortSignal
  /** Default: the moving average where there is one, else the weights. */
  which?: WeightsView
}

/**
 * Trains a model. What is trained (`trainable`) and which ReLUs are erased is taken from the model as it is when the trainer
 * is made and first used; later changes do not reach the compiled step. Throws InvalidArgument for options that are wrong or
 * do not fit together, naming them.
 */
export class Trainer {
  private readonly options: CompleteOptions
  private readonly layout: StoreLayout<Parameter>
  private readonly trainFeed: Feed
  private readonly testFeed: Feed | undefined
  private compiled: Promise<CompiledTraining> | undefined
  /** Engines of the run that is resumed. */
  private choices: EngineChoices = {}
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
    this.options = withDefaults(options)
    const { data, batchSize, seed, accumulate, evalBatchSize, mixup, cutmix } = this.options
    checkFit(model, data)
    model.assignNames()
    this.layout = new StoreLayout(model.parameters())
    if (this.layout.trainedSize === 0) throw new InvalidArgument('Trainer: the model has no trainable parameter')
    this.trainFeed = trainFeedOf(data, { batchSize, seed, accumulate, mixup, cutmix })
    this.testFeed = testFeedOf(data, { batchSize: evalBatchSize, seed })
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
    return (await this.compile()).memory
  }

  /**
   * Trains for what remains of the epochs, from where an earlier fit was left or from a checkpoint. Ends at the end of the
   * iteration, by `signal`, or when the loop is left. Throws InvalidArgument for an `outputDir` or checkpoint that cannot be
   * used, OutputError when a file cannot be written, NotFinite when the loss or a gradient is not finite.
   */
  async *fit(options: FitOptions = {}): AsyncGenerator<TrainingEvent, void> {
    checkFitOptions(options)
    if (this.fitting) throw new InvalidArgument('Trainer: fit() is already running; wait for it to end')
    this.fitting = true
    const { signal, outputDir, ...output } = options
    try {
      const { resume = false } = output
      const kept = outputDir !== undefined && resume !== false ? await enginesOf(resume === true ? outputDir : resume) : undefined
      await this.compileWith(kept?.engines ?? {})
      if (outputDir === undefined) yield* this.epochs(signal)
      else {
        // Loaded by those who ask for a run folder only: YAML, zod and the charts take longer than the rest of the package.
        const { fitInFolder } = await import('./fit_in_folder.js')
        yield* fitInFolder(await this.resumable(), { ...output, outputDir, signal, kept })
      }
    } finally {
      this.fitting = false
      // Not where compiling failed.
      if (this.compiled && !this.disposed) await this.writeBack()
    }
  }

  /** Measures the model on the test images. Also between two steps of a fit: the training is not changed by it. */
  async evaluate({ signal, which }: EvaluateOptions = {}): Promise<Evaluation> {
    requireSignal('Trainer.evaluate', signal)
    const compiled = await this.compile()
    if (!this.testFeed)
      throw new InvalidArgument(`Trainer: the data '${this.options.data.name}' has no test images to evaluate on`)
    return compiled.evaluate(this.testFeed, this.checkedView('evaluate', which ?? compiled.evaluated), signal)
  }

  /**
   * Copies the trained weights and statistics, or their moving average, into the model's parameters. fit() does it with the
   * weights after every epoch and at its end; training goes on from the weights in any case.
   */
  async writeBack(which: WeightsView = 'weights'): Promise<void> {
    await (await this.compile()).writeBack(this.checkedView('writeBack', which))
  }

  /** Frees all native memory. Idempotent. The model keeps the weights of the last epoch (or use after fit has ended). */
  async dispose(): Promise<void> {
    this.disposed = true
    await (await this.compiled?.catch(() => undefined))?.dispose()
  }

  /** The same as dispose(), for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  /** What a run folder needs of the training. */
  private async resumable(): Promise<ResumableTraining> {
    const { model, layout, stepsPerEpoch, options } = this
    const { data, device } = options
    const { store, choices } = await this.compile()
    const arenaSizes = new Map(store.arenas.map(name => [name, store.sizeOf(name)]))
    const settings = { ...settingsOf(options), erasedReLUs: erasedReLUs(model), frozen: frozenParameters(model) }
    return {
      description: { model, layout, arenaSizes, stepsPerEpoch, data, device, settings },
      choices,
      position: () => ({ step: this.stepsDone, epoch: this.epochsDone }),
      capture: async () => {
        const arenas = await (await this.compile()).capture()
        return { step: this.stepsDone, epoch: this.epochsDone, sums: this.averages.sums, arenas }
      },
      restore: async ({ step, epoch, sums, arenas }) => {
        await (await this.compile()).restore(arenas)
        this.stepsDone = step
        this.epochsDone = epoch
        this.averages = new Averages(sums)
      },
      events: signal => this.epochs(signal),
    }
  }

  private async *epochs(signal: AbortSignal | undefined): AsyncGenerator<TrainingEvent, void> {
    const { epochs } = this.options
    const start = performance.now()
    let trainingSeconds = 0
    let images = 0
    let test: Evaluation | undefined
    for (let epoch = this.epochsDone; epoch < epochs; epoch = this.epochsDone) {
      const began = performance.now()
      const before = this.averages.sums.images
      let dataSeconds = 0
      for await (const event of this.steps(epoch, signal)) {
        if (event.type === 'step') dataSeconds += event.dataSeconds
        yield event
      }
      const seconds = (performance.now() - began) / 1000
      const fresh = this.averages.sums.images - before
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
        learningRate: this.learningRates(await this.compile(), this.stepsDone - 1)[0]!,
        imagesPerSecond: fresh / seconds,
        seconds,
        dataSeconds,
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
    const { stepsPerEpoch } = this
    let stepInEpoch = this.stepsDone - epoch * stepsPerEpoch
    if (stepInEpoch === stepsPerEpoch) return
    let before = performance.now()
    let speed = 0
    const compiled = await this.compile()
    const batches = this.trainFeed.batches(epoch, stepInEpoch * accumulate, this.averages.sums.passedOver)
    const loader = new StepLoader(batches, microbatches => compiled.stage(microbatches), accumulate)
    try {
      for (;;) {
        const asked = performance.now()
        const loaded = await loader.next()
        if (!loaded) break
        const dataSeconds = (performance.now() - asked) / 1000
        const missing = accumulate * this.options.batchSize - loaded.count
        const stepping = this.step(loaded.staged, missing, signal)
        stepInEpoch++
        if (stepInEpoch < stepsPerEpoch) loader.begin()
        const done = await stepping
        const now = performance.now()
        const fresh = (loaded.count / (now - before)) * 1000
        speed = speed === 0 ? fresh : 0.9 * speed + 0.1 * fresh
        const stepSeconds = (now - before) / 1000
        before = now
        yield {
          type: 'step',
          step: this.stepsDone,
          epoch: epoch + 1,
          stepInEpoch,
          stepsPerEpoch,
          ...done,
          seconds: stepSeconds,
          dataSeconds,
          imagesPerSecond: speed,
        }
        if (stepInEpoch === stepsPerEpoch) return
      }
    } finally {
      await loader.close()
    }
    throw new InvalidArgument(
      `'${this.options.data.name}': epoch ${epoch + 1} ended after ${stepInEpoch} steps, but batchesPerEpoch promises ${stepsPerEpoch}`,
    )
  }

  private async step(staged: StagedStep, missing: number, signal: AbortSignal | undefined) {
    const compiled = await this.compile()
    const { seed, accumulate } = this.options
    const step = this.stepsDone
    const learningRates = this.learningRates(compiled, step)
    const outputs = await compiled.step(staged, { seed, step, learningRates, signal })
    this.stepsDone++
    this.averages.passOver(missing)
    const state = outputs.state!.data
    const skipped = state[stateIndex.finite] !== 1
    return {
      ...this.averages.add(outputs, accumulate, skipped),
      learningRate: learningRates[0]!,
      gradientNorm: state[stateIndex.norm]!,
      skipped,
      lossScale: compiled.scalesLoss ? state[stateIndex.lossScale] : undefined,
    }
  }

  /** Of each parameter group in a step, counted from 0. */
  private learningRates({ grouping }: CompiledTraining, step: number): number[] {
    const { stepsPerEpoch } = this
    const { schedule, optimizer, epochs: totalEpochs } = this.options
    const factor = schedule({
      step,
      epoch: step / stepsPerEpoch,
      totalSteps: totalEpochs * stepsPerEpoch,
      totalEpochs,
      stepsPerEpoch,
    })
    if (typeof factor !== 'number' || !(factor >= 0 && factor < Infinity)) {
      throw new InvalidArgument(
        `Trainer: the schedule gave ${String(factor)} for step ${step + 1}; it must give a finite factor of at least 0`,
      )
    }
    return grouping.groups.map(({ lrScale }) => optimizer.lr * lrScale * factor)
  }

  private checkedView(method: string, which: WeightsView): WeightsView {
    requireOneOf(`Trainer.${method}`, 'which', which, ['weights', 'ema'])
    if (which === 'ema' && !this.options.ema)
      throw new InvalidArgument(`Trainer.${method}: there is no moving average; give the trainer \`ema\``)
    return which
  }

  /** Compiles; anew, with the state as it is, where that was done with other engines than the run that is resumed took. */
  private async compileWith(choices: EngineChoices): Promise<void> {
    const earlier = this.compiled && (await this.compile())
    this.choices = { ...this.choices, ...choices }
    if (earlier && Object.entries(earlier.choices).some(([computed, engine]) => (choices[computed] ?? engine) !== engine)) {
      const arenas = await earlier.capture()
      this.compiled = undefined
      await earlier.dispose()
      await (await this.compile()).restore(arenas)
    } else await this.compile()
  }

  private compile(): Promise<CompiledTraining> {
    if (this.disposed) throw new Disposed('the trainer was disposed')
    this.compiled ??= this.compileOnce().catch((error: unknown) => {
      this.compiled = undefined
      throw error
    })
    return this.compiled
  }

  private async compileOnce(): Promise<CompiledTraining> {
    const { model, layout, trainFeed: train, testFeed: test, options } = this
    const { data } = options
    const numClasses = 'kind' in data ? data.numClasses : data.train.numClasses
    try {
      return await CompiledTraining.create(
        { train, test },
        { ...options, engines: options, choices: this.choices, model, layout, numClasses, checked: false },
      )
    } catch (error) {
      throw error instanceof InvalidArgument ? withData(error, data) : error
    }
  }
}

/** Of a run folder or a checkpoint. */
const enginesOf = async (source: string) => (await import('./kept_engines.js')).readEngines(source)

/** Says which data the model was traced on. */
function withData(error: InvalidArgument, data: TrainingData): InvalidArgument {
  const shapes = 'kind' in data ? [data.shape, data.testShape] : [data.train.shape, data.test.shape]
  const sizes = [...new Set(shapes.map(shape => shape.join('x')))].join(' and, for the test, ')
  return new InvalidArgument(`${error.message} (while tracing the model on '${data.name}', images ${sizes})`, { cause: error })
}
