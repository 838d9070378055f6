/** Parsers of option values, for commander: a wrong value is an error that names the option. */
import { InvalidArgumentError } from 'commander'

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

function numberThat(text: string, range: string, holds: (value: number) => boolean): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || !holds(value))
    throw new InvalidArgumentError(`It must be a number ${range}.`)
  return value
}

/** A place in a list: by name, or by index from 0. */
export const location = (text: string): 'last' | 'first' | 'middle' | number => {
  if (text === 'last' || text === 'first' || text === 'middle') return text
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError("It must be 'last', 'first', 'middle' or an index from 0.")
}
