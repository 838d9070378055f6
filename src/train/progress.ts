/** Shows how trainings go: on a terminal a bar with the time left, elsewhere plain lines. */
import { MultiBar, type SingleBar } from 'cli-progress'
import type { EpochEvent, ResumeEvent, StepEvent, TrainingEvent } from './events.js'

export interface Progress {
  /** A training starts. */
  begin(name: string, stepsPerEpoch: number): void
  event(event: TrainingEvent): void
  /** Prints a line of its own. */
  say(line: string): void
  /** All trainings are over. */
  end(): void
}

/** Of the trainings to come: how many, and how many epochs each. */
export interface Work {
  trainings: number
  epochs: number
}

export const progressOn = (stream: NodeJS.WriteStream, work: Work): Progress =>
  stream.isTTY ? new Bar(stream, work) : new Lines(stream, work)

/** What both have in common: the name of the training and the time left of all. */
abstract class Common implements Progress {
  protected name = ''
  protected totalSteps = 0
  /** Of all trainings, in this process. */
  private stepsDone = 0
  /** Steps of earlier processes, from which this one goes on. */
  private stepsBefore = 0
  private start: number | undefined

  constructor(
    protected readonly stream: NodeJS.WriteStream,
    protected readonly work: Work,
  ) {}

  begin(name: string, stepsPerEpoch: number): void {
    this.name = name
    this.totalSteps = stepsPerEpoch * this.work.epochs
    this.start ??= performance.now()
  }

  event(event: TrainingEvent): void {
    if (event.type === 'step') {
      this.stepsDone++
      this.step(event)
    }
    if (event.type === 'resume') {
      this.stepsBefore += event.step
      for (const line of resumeLines(event)) this.say(line)
    }
    if (event.type === 'epoch') this.say(epochLine(this.name, event))
    // Checkpoints are many, and every other reason to name one has a message of its own.
    if (event.type === 'checkpoint' && (event.reason === 'stopped' || event.reason === 'failed'))
      this.say(`Checkpoint of step ${event.step}: ${event.checkpoint}`)
  }

  /** Until all trainings are done, at the mean speed so far: '1:05' minutes, or '26:01:05' hours. */
  protected timeLeft(): string {
    const perStep = (performance.now() - this.start!) / this.stepsDone
    const stepsLeft = this.totalSteps * this.work.trainings - this.stepsBefore - this.stepsDone
    const seconds = Math.round((perStep * stepsLeft) / 1000)
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
    const parts = [...(hours > 0 ? [hours] : []), minutes, seconds % 60]
    return parts.map((part, i) => (i === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':')
  }

  protected abstract step(event: StepEvent): void
  abstract say(line: string): void
  abstract end(): void
}

function* resumeLines({ checkpoint, step, epoch, notes, changedSettings }: ResumeEvent): Iterable<string> {
  if (checkpoint !== undefined)
    yield `Resuming from ${checkpoint}: step ${step}, ${epoch} full ${epoch === 1 ? 'epoch' : 'epochs'} done.`
  yield* notes
  yield* changedSettings
}

/** At most 80 columns for short names, as the bar. */
function epochLine(name: string, { epoch, epochs, train, test, imagesPerSecond }: EpochEvent): string {
  const { loss, accuracy } = test ?? train
  const measured = accuracy === undefined ? '' : `accuracy ${(100 * accuracy).toFixed(2)} %, `
  const where = test ? 'test' : 'training'
  return `${name}, epoch ${epoch}/${epochs}: ${where} ${measured}loss ${loss.toFixed(4)}, ${imagesPerSecond.toFixed(0)} images/s`
}

class Bar extends Common {
  private readonly bars: MultiBar
  private bar: SingleBar | undefined

  constructor(stream: NodeJS.WriteStream, work: Work) {
    super(stream, work)
    const [barCompleteChar, barIncompleteChar] = speaksUnicode() ? ['█', '░'] : ['#', '.']
    // At most 80 columns for short names: the bar does not wrap.
    const format = '{name} {bar} {percentage}%  epoch {epoch}  loss {loss}  {speed} images/s  ETA {left}'
    this.bars = new MultiBar({ stream, format, barsize: 8, barCompleteChar, barIncompleteChar, gracefulExit: false })
    process.once('exit', this.end)
  }

  override begin(name: string, stepsPerEpoch: number): void {
    super.begin(name, stepsPerEpoch)
    const shown = { name, epoch: `1/${this.work.epochs}`, loss: '-', speed: '-', left: '-' }
    this.bar ??= this.bars.create(this.totalSteps, 0, shown)
    this.bar.update(0, shown)
  }

  override event(event: TrainingEvent): void {
    const { epochs } = this.work
    if (event.type === 'resume') this.bar?.update(event.step, { epoch: `${Math.min(event.epoch + 1, epochs)}/${epochs}` })
    super.event(event)
  }

  protected step({ step, epoch, loss, imagesPerSecond }: StepEvent): void {
    const { epochs } = this.work
    const shown = { epoch: `${epoch}/${epochs}`, loss: loss.toFixed(3), speed: imagesPerSecond.toFixed(0), left: this.timeLeft() }
    this.bar?.update(step, shown)
  }

  say(line: string): void {
    this.bars.log(`${line}\n`)
  }

  /** Also sets the terminal back to wrapping lines, which the bar switches off. */
  readonly end = (): void => {
    process.off('exit', this.end)
    this.bars.update()
    this.bars.stop()
  }
}

/** Milliseconds between lines within an epoch. */
const pause = 5000

class Lines extends Common {
  private last = performance.now()

  protected step({ epoch, stepInEpoch, stepsPerEpoch, loss, seconds, dataSeconds, imagesPerSecond }: StepEvent): void {
    const now = performance.now()
    if (now - this.last < pause) return
    this.last = now
    const place = `epoch ${epoch}/${this.work.epochs}, step ${stepInEpoch}/${stepsPerEpoch}`
    const times = `time ${seconds.toFixed(3)} s, data ${dataSeconds.toFixed(3)} s`
    const speed = `${imagesPerSecond.toFixed(0)} images/s, ${times}, ETA ${this.timeLeft()}`
    this.say(`${this.name}, ${place}: loss ${loss.toFixed(4)}, ${speed}`)
  }

  say(line: string): void {
    this.stream.write(`${line}\n`)
  }

  end(): void {
    this.last = performance.now()
  }
}

/** Whether the terminal shows characters beyond ASCII, as its locale says. */
export function speaksUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '')
}
