/**
 * Tracing: running `forward` once on symbolic tensors. While a trace is open, the tensor functions append nodes to its
 * graph, named after the module whose forward is running.
 */
import { InvalidArgument } from '../runtime/errors.js'
import { didYouMean } from '../runtime/suggest.js'
import { Graph } from './graph.js'
import type { Parameter } from './parameter.js'
import type { Tensor, TensorType } from './tensor.js'

export class Trace {
  readonly graph = new Graph()
  /** What each module returned, by its path: the names that `peek` knows. */
  readonly named = new Map<string, Tensor>()
  private readonly path: string[] = []
  private nextOpId = 0

  constructor(
    /** True while a training step is traced: batch norm uses the batch's statistics, dropout drops. */
    readonly training: boolean,
  ) {}

  /** The path of the module whose forward is running. */
  get scope(): string {
    return this.path.at(-1) ?? ''
  }

  /** Runs `body` with nodes named after `path`, and remembers what it returned under that name. */
  within<T>(path: string, body: () => T): T {
    this.path.push(path)
    try {
      const result = body()
      if (isTensor(result)) this.named.set(path, result)
      return result
    } finally {
      this.path.pop()
    }
  }

  input(name: string, type: TensorType): Tensor {
    return this.graph.source(type, name, { kind: 'input', name })
  }

  parameter(parameter: Parameter): Tensor {
    return this.graph.parameter(parameter)
  }

  /** A number of its own for every operation that draws random numbers (part of the Philox counter). */
  opId(): number {
    return this.nextOpId++
  }

  /** The tensor of a `peek` name; throws with the nearest names when there is none. */
  lookup(name: string): Tensor {
    const tensor = this.named.get(name)
    if (!tensor) {
      throw new InvalidArgument(
        `peek: no layer is called '${name}'.${didYouMean(name, this.named.keys())} Names look like ${[...this.named.keys()].slice(0, 3).join(', ')}.`,
      )
    }
    return tensor
  }
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'id' in value
}

let current: Trace | undefined

/** The open trace; tensor functions work only inside one. */
export function currentTrace(): Trace {
  if (!current) {
    throw new InvalidArgument(
      'tensor functions and layers run only while a model is traced: call them inside forward(), and use compile(model, …) or Trainer to run it',
    )
  }
  return current
}

export function withTrace<T>(trace: Trace, body: () => T): T {
  const outer = current
  current = trace
  try {
    return body()
  } finally {
    current = outer
  }
}
