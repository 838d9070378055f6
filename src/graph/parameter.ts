import { InvalidArgument } from '../runtime/errors.js'
import { elementsOf, type Shape } from './tensor.js'

/** What a parameter is for: decides weight decay, and whether a gradient exists at all (`statistic`: never). */
export type ParameterRole = 'weight' | 'bias' | 'norm' | 'statistic'

/**
 * A named array of a model: a filter, a bias, a batch-norm scale, or a running statistic.
 * `data` holds its value on the host, f32; a trainer's store owns the value while it trains and writes it back
 * at the end of every epoch and of the training.
 */
export class Parameter {
  /** The path in the model, 'layer1.0.conv1.weight'; set when the model's names are taken. */
  name = ''
  /** False keeps the value as it is in training: no gradient, no optimizer state. */
  trainable: boolean
  /** Number of elements. */
  readonly size: number
  /** Made when they are first read or assigned. */
  private values: Float32Array | undefined
  private pending: ((values: Float32Array) => void) | undefined
  /** Whether somebody holds the array, and must see what changes. */
  private shown = false

  constructor(
    /** Filters [K, R, S, C/groups], linear weights [K, C], everything of a channel [C]. */
    readonly shape: Shape,
    /** What it is for. */
    readonly role: ParameterRole,
    /** Of a linear weight whose C columns are a flattened map: [height, width, channels]. Files of PyTorch have them in another order. */
    readonly inputShape?: readonly [height: number, width: number, channels: number],
  ) {
    this.trainable = role !== 'statistic'
    this.size = elementsOf(shape)
  }

  /** The values, in the order of `shape`, last dimension fastest. */
  get data(): Float32Array {
    const values = this.allocated()
    this.pending?.(values)
    this.pending = undefined
    this.shown = true
    return values
  }

  /** Has `fill` set every value before `data` is read for the first time, or now: initial values that are replaced before cost nothing. */
  fillLater(fill: (values: Float32Array) => void): void {
    if (this.shown) fill(this.allocated())
    else this.pending = fill
  }

  /** Sets every value, in the order of `shape`. Throws InvalidArgument for another number of values. */
  assign(values: Float32Array): void {
    if (values.length !== this.size) {
      const wanted = `${this.size} values of shape [${this.shape.join(', ')}]`
      throw new InvalidArgument(`parameter '${this.name}' takes ${wanted}, not ${values.length}`)
    }
    this.pending = undefined
    this.allocated().set(values)
  }

  private allocated(): Float32Array {
    return (this.values ??= new Float32Array(this.size))
  }
}
