/** Parsers of option values, for commander: a wrong value is an error that names the option. */
import { InvalidArgumentError } from 'commander'
import { didYouMean } from '../runtime/suggest.js'

export const positiveInteger = (text: string): number => integerFrom(1, text)
export const naturalNumber = (text: string): number => integerFrom(0, text)

function integerFrom(minimum: number, text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < minimum || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`It must be an integer of at least ${minimum}.`)
  }
  return value
}

export const positiveNumber = (text: string): number => numberThat(text, 'above 0', value => value > 0)
export const weight = (text: string): number => numberThat(text, 'of at least 0', value => value >= 0)
export const share = (text: string): number => numberThat(text, 'from 0 to 1', value => value >= 0 && value <= 1)
/** What is multiplied again and again: momentum, label smoothing, decay of an average. */
export const belowOne = (text: string): number => numberThat(text, 'of at least 0 and below 1', value => value >= 0 && value < 1)
export const gamma = (text: string): number => numberThat(text, 'above 0 and at most 1', value => value > 0 && value <= 1)

function numberThat(text: string, range: string, holds: (value: number) => boolean): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || !holds(value))
    throw new InvalidArgumentError(`It must be a number ${range}.`)
  return value
}

/** Epochs in rising order: '82,123'. */
export const milestones = (text: string): number[] => {
  const epochs = text.split(',').map(positiveInteger)
  if (epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]!)) return epochs
  throw new InvalidArgumentError('The epochs must rise, as in 82,123.')
}

/** Numbers from 0 and ranges of them: '0,3,5-9'. */
export const indices = (text: string): number[] =>
  text.split(',').flatMap(part => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    const length = Number(last) - Number(first) + 1
    if (first === undefined || length < 1 || length > 1e6)
      throw new InvalidArgumentError('It must be numbers from 0 and ranges of them, such as 0,3,5-9.')
    return Array.from({ length }, (_, i) => Number(first) + i)
  })

/** What `indices` reads, from numbers in rising order: '0,3,5-9'. */
export function rangesOf(numbers: readonly number[]): string {
  const firsts = numbers.filter((number, i) => number !== numbers[i - 1]! + 1)
  const lasts = numbers.filter((number, i) => number !== numbers[i + 1]! - 1)
  return firsts.map((first, i) => (first === lasts[i] ? `${first}` : `${first}-${lasts[i]}`)).join(',')
}

/** Several values, each once: 'a,b,c'. */
export const listOf =
  <T>(parse: (text: string) => T) =>
  (text: string): T[] => [...new Set(text.split(',').map(parse))]

/** A name or a path. */
export const text = (given: string): string => {
  if (given.trim() !== '') return given
  throw new InvalidArgumentError('It must not be empty.')
}

/** A place in a list: by name, or by index from 0. */
export const location = (text: string): 'last' | 'first' | 'middle' | number => {
  if (text === 'last' || text === 'first' || text === 'middle') return text
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError("It must be 'last', 'first', 'middle' or an index from 0.")
}

/** One of a fixed list. */
export const word =
  <T extends string>(values: readonly T[]) =>
  (text: string): T => {
    if (values.includes(text as T)) return text as T
    throw new InvalidArgumentError(`It must be one of ${values.join(', ')}.${didYouMean(text, values)}`)
  }

/** 'width=32' added to what came before; numbers, true and false become such values. */
export function keyValue(text: string, before: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const [, key, value] = /^(\w+)=(.+)$/s.exec(text) ?? []
  if (key === undefined || value === undefined) throw new InvalidArgumentError('It must be name=value, such as width=32.')
  return { ...before, [key]: valueOf(value) }
}

function valueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}
