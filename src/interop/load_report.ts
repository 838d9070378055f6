/** What loadWeights did with a file, in numbers for programs and in words for people. */
import type { Shape } from '../graph/tensor.js'

/** A tensor whose size is not that of the parameter with its name. Filters are [K, R, S, C/groups] on both sides. */
export interface ShapeMismatch {
  /** The parameter's name. */
  readonly name: string
  /** The parameter's shape. */
  readonly model: Shape
  /** The tensor's shape. */
  readonly file: Shape
}

/** An account of every parameter of the model and every tensor of the file. `toString()` tells it in a few lines. */
export class LoadReport {
  constructor(
    /** The file that was read. */
    readonly file: string,
    /** Parameters and running statistics that took their values from the file. */
    readonly loaded: readonly string[],
    /** Those that the file has no tensor for; they keep their values. */
    readonly missing: readonly string[],
    /** Tensors, by their names in the file, that no parameter takes. */
    readonly unexpected: readonly string[],
    /** Those whose shape differs from the tensor's; they keep their values. */
    readonly mismatched: readonly ShapeMismatch[],
  ) {}

  /** A few lines for people. */
  toString(): string {
    const { file, loaded, missing, unexpected, mismatched } = this
    const shapes = mismatched.map(each => `${each.name} [${each.file.join(', ')}] for [${each.model.join(', ')}]`)
    return [
      `${file}: ${loaded.length} tensors loaded`,
      ...line('missing in the file', missing),
      ...line('unexpected in the file', unexpected),
      ...line('of another shape', shapes),
    ].join('\n')
  }
}

function line(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const some = names.slice(0, 6).join(', ')
  return [`  ${names.length} ${what}: ${some}${names.length > 6 ? `, and ${names.length - 6} more` : ''}`]
}
