/** Module: the base class of layers, blocks and models. */
import { inspect } from 'node:util'
import { Parameter } from '../graph/parameter.js'
import type { Tensor } from '../graph/tensor.js'
import { currentTrace } from '../graph/trace.js'
import { InvalidArgument } from '../runtime/errors.js'
import { Callable } from './callable.js'

/** The modules whose forward is running, outermost first. */
const callers: Module[] = []

// Declaration merging gives every subclass the call signature of its own forward.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export interface Module {
  /** What `forward` returns, with the graph's nodes named after this module. */
  (...inputs: Parameters<this['forward']>): ReturnType<this['forward']>
}

/**
 * A part of a model. It holds parameters and other modules in its fields (or arrays of them), and computes in `forward`. Call
 * it like a function: `this.conv1(x)` runs conv1's forward and names the graph's nodes after the path of fields that leads to
 * it, 'layer1.0.conv1'. The same paths name the parameters, as in PyTorch.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export abstract class Module extends Callable {
  #path: string | undefined
  /** The outermost module, that `#path` starts from. */
  #root: Module | undefined

  /** What the module computes. Runs once, while a graph is traced. */
  abstract forward(...inputs: Tensor[]): Tensor

  /** The modules in the fields, in the order of the fields; those in arrays are called 'field.0', 'field.1', …. */
  *children(): Iterable<[name: string, module: Module]> {
    for (const [name, value] of held(this)) if (value instanceof Module) yield [name, value]
  }

  /** This module (path '') and all below it, in the order of the fields; one that is reached twice is listed once. */
  namedModules(): Iterable<[path: string, module: Module]> {
    return walk(this, '', new Set())
  }

  /** All parameters and running statistics, in the order of the fields; one that is reached twice is listed once. */
  *namedParameters(): Iterable<[path: string, parameter: Parameter]> {
    const seen = new Set<Parameter>()
    for (const [path, module] of this.namedModules()) {
      for (const [name, value] of held(module)) {
        if (!(value instanceof Parameter) || seen.has(value)) continue
        seen.add(value)
        yield [join(path, name), value]
      }
    }
  }

  /** What namedParameters lists, without the names: trained parameters, frozen ones and running statistics. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, parameter]) => parameter)
  }

  /** Number of weights that can be trained: all but running statistics. */
  parameterCount(): number {
    return this.parameters().reduce((total, { role, size }) => (role === 'statistic' ? total : total + size), 0)
  }

  /** Parameters and running statistics by name. */
  stateDict(): Map<string, Parameter> {
    return new Map(this.namedParameters())
  }

  /**
   * Takes this module out of training: its parameters and those of all modules in it get no gradient, no optimizer state and
   * no update, and its batch norms use their running statistics and leave them (PyTorch: `requires_grad_(False)` and `eval()`).
   * The backward pass ends above modules that have nothing trained below them. Call it before the trainer is made. Dropout
   * goes on dropping. Returns the module.
   */
  freeze(): this {
    for (const [, module] of this.namedModules()) module.setFrozen(true)
    return this
  }

  /** Undoes `freeze` for this module and all modules in it, whoever froze them; running statistics stay untrained by gradients. */
  unfreeze(): this {
    for (const [, module] of this.namedModules()) module.setFrozen(false)
    return this
  }

  /** What freezing means for this module alone, without those in its fields: its own parameters are trained or not. */
  protected setFrozen(frozen: boolean): void {
    for (const [, value] of held(this)) {
      if (value instanceof Parameter) value.trainable = !frozen && value.role !== 'statistic'
    }
  }

  /** Names all modules and parameters below this one. Happens by itself when the module is traced. */
  assignNames(): void {
    for (const [path, module] of this.namedModules()) {
      module.#path = path
      module.#root = this
    }
    for (const [path, parameter] of this.namedParameters()) parameter.name = path
  }

  /** What stands in the brackets of `toString()`: 'Conv2d(3, 16, 3x3)'. */
  protected describe(): string {
    return ''
  }

  /** The module as a tree, one line a module. */
  override toString(): string {
    const lines = Array.from(this.children(), ([name, module]) => `(${name}): ${module.toString()}`)
    const head = `${this.constructor.name}(${this.describe()}`
    return lines.length === 0 ? `${head})` : `${head}\n${lines.join('\n').replaceAll(/^/gm, '  ')}\n)`
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString()
  }

  /** @internal */
  protected override invoke(inputs: Tensor[]): Tensor {
    const trace = currentTrace()
    const outer = callers.at(-1)
    if (!outer) {
      // A part of a model that is named already keeps its name: someone called the model's forward() directly.
      if (!this.#path) this.assignNames()
    } else if (this.#root !== outer.#root) {
      throw new InvalidArgument(
        `${outer.#path || outer.constructor.name}: forward calls a ${this.constructor.name} that no field of the model leads to, so its ` +
          `parameters have no names. Keep it in a field, or in an array in a field, of the module that calls it.`,
      )
    }
    callers.push(this)
    try {
      return this.#path ? trace.within(this.#path, () => this.forward(...inputs)) : this.forward(...inputs)
    } finally {
      callers.pop()
    }
  }
}

const join = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

/** The fields of an object, with arrays opened. */
function* held(holder: object): Iterable<[name: string, value: unknown]> {
  for (const [name, value] of Object.entries(holder) as [string, unknown][]) {
    if (Array.isArray(value)) for (const [inner, item] of held(value)) yield [`${name}.${inner}`, item]
    else yield [name, value]
  }
}

function* walk(module: Module, path: string, seen: Set<Module>): Iterable<[path: string, module: Module]> {
  if (seen.has(module)) return
  seen.add(module)
  yield [path, module]
  for (const [name, child] of module.children()) yield* walk(child, join(path, name), seen)
}
