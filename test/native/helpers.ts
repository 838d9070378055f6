/** Runs cases and compares their results. */
import { expect } from 'vitest'
import { run, type RunOperationOptions } from '../../src/graph/run.js'
import { vocabulary } from '../../src/graph/vocabulary.js'
import { deviceInfo, devices } from '../../src/runtime/devices.js'
import type { HostTensor } from '../../src/runtime/dtype.js'
import type { Case } from './cases/case.js'
import { makeDraw } from './cases/draw.js'

/** Why a device does not compute in a type; undefined where it does. */
export function missingType(device: string, dtype: string): string | undefined {
  if (device !== 'cpu' || dtype === 'f32') return undefined
  if (dtype !== 'bf16') return `the CPU does not compute in ${dtype}`
  return deviceInfo('cpu').bf16 ? undefined : 'this processor has no bf16 instructions (AVX512_BF16 or AMX)'
}

export type Results = Readonly<Record<string, HostTensor>>

/** Every kind of device but the one that all others are compared with; of several GPUs the first. */
export const testedDevices = devices().filter(device => device !== 'reference' && !device.includes(':'))

/** Runs a case, with guards around every buffer and a look at every result; `exact`: on small integers. */
export function runCase({ op, make, nonFinite = false }: Case, exact: boolean, options: RunOperationOptions): Promise<Results> {
  const { inputs, attributes, ...rest } = make(makeDraw(1, exact))
  return run(op, inputs, attributes, { ...rest, checked: !nonFinite, ...options })
}

/** How many images a case works on: dimension 0 of what a reduce or an elementwise map reads; of offsets for images. */
export function batchOf({ make }: Case): number {
  const { inputs } = make(makeDraw(1, false))
  return (inputs.offsets ?? Object.values(inputs)[0]!).shape[0]!
}

/** Whether it can run in chunks of images. */
export const canBeCut = (each: Case): boolean => vocabulary[each.op].batch !== 'whole' && batchOf(each) > 1

/**
 * How far an f32 result may be from the reference, which computes in double, in units of its largest value (at least 1, as the
 * inputs are about 1). Each of K additions rounds by up to 2^-24 of a sum that has grown to about the result; roundings
 * are as often up as down, so they add up like sqrt(K). The factor 4 leaves room for chance and for what surrounds the sum.
 */
export const toleranceOf = ({ terms = 1 }: Case): number => 4 * Math.sqrt(terms) * 2 ** -24

/** Compares all results. Tolerance 0: equal numbers (0 and -0 are), NaN where there is NaN. */
export function expectResults(actual: Results, expected: Results, tolerance: number): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected))
  for (const [name, tensor] of Object.entries(expected)) expectTensor(name, actual[name]!, tensor, tolerance)
}

function expectTensor(name: string, actual: HostTensor, expected: HostTensor, tolerance: number): void {
  expect(actual.shape, `shape of ${name}`).toEqual(expected.shape)
  expect(actual.data.constructor, `type of ${name}`).toBe(expected.data.constructor)
  const finite = Array.from(expected.data, Math.abs).filter(isFinite)
  const largest = finite.reduce((most, value) => Math.max(most, value), 1)
  const allowed = expected.data instanceof Float32Array ? tolerance * largest : 0
  const wrong = expected.data.findIndex((value, i) => {
    const other = actual.data[i]!
    return value !== other && !(Number.isNaN(value) && Number.isNaN(other)) && !(Math.abs(value - other) <= allowed)
  })
  if (wrong === -1) return
  const [got, wanted] = [actual.data[wrong]!, expected.data[wrong]!]
  const error = Math.abs(got - wanted)
  expect.fail(
    `${name}: element ${wrong} of [${expected.shape.join(', ')}] is ${got}, not ${wanted}: off by ${error}, allowed ${allowed}`,
  )
}
