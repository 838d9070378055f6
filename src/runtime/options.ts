/** Checks of what a caller passes in: each throws InvalidArgument that says what is wrong, where, and what would work. */
import { InvalidArgument } from './errors.js'
import { didYouMean } from './suggest.js'

/** Rejects what is no object of options, and option names that are not in `known`. */
export function requireKnownOptions(where: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgument(`${where}: expected an object with options (${known.join(', ')}), got ${show(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new InvalidArgument(`${where}: unknown option '${name}'.${didYouMean(name, known)} Known: ${known.join(', ')}.`)
    }
  }
}

export function requireOneOf<T extends string>(
  where: string,
  name: string,
  value: unknown,
  known: readonly T[],
): asserts value is T {
  if (!known.includes(value as T)) {
    const near = typeof value === 'string' ? didYouMean(value, known) : ''
    throw new InvalidArgument(`${where}: ${name} must be one of ${known.join(', ')}, got ${show(value)}.${near}`)
  }
}

/** An integer of at least `minimum`. */
export function requireInteger(where: string, name: string, value: unknown, minimum = 1): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < minimum) {
    throw new InvalidArgument(`${where}: ${name} must be an integer of at least ${minimum}, got ${show(value)}`)
  }
}

/** A finite number that passes `holds`; `range` says it in words: 'in [0, 1)'. */
export function requireNumber(
  where: string,
  name: string,
  value: unknown,
  range: string,
  holds: (value: number) => boolean,
): asserts value is number {
  if (typeof value !== 'number' || !Number.isFinite(value) || !holds(value)) {
    throw new InvalidArgument(`${where}: ${name} must be a number ${range}, got ${show(value)}`)
  }
}

export function requireBoolean(where: string, name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new InvalidArgument(`${where}: ${name} must be true or false, got ${show(value)}`)
}

/** `form` says of what kind: '(x) => number'. */
export function requireFunction(where: string, name: string, value: unknown, form: string): void {
  if (typeof value !== 'function') throw new InvalidArgument(`${where}: ${name} must be a function ${form}, got ${show(value)}`)
}

/** An array; `form` says of what: 'epochs'. */
export function requireList(where: string, name: string, value: unknown, form: string): void {
  if (!Array.isArray(value)) throw new InvalidArgument(`${where}: ${name} must be a list of ${form}, got ${show(value)}`)
}

export function requireShape(where: string, shape: unknown): asserts shape is readonly number[] {
  if (!Array.isArray(shape) || shape.length === 0 || shape.some(dim => !Number.isSafeInteger(dim) || dim < 1)) {
    throw new InvalidArgument(
      `${where}: the shape must be a list of positive integers such as [1, 224, 224, 3], got ${show(shape)}`,
    )
  }
}

/** Undefined, or an AbortSignal. */
export function requireSignal(where: string, signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgument(`${where}: signal must be an AbortSignal, got ${show(signal)}`)
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : Array.isArray(value) ? `[${value.map(show).join(', ')}]` : String(value)
}
