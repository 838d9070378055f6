/** What tests of operations share. */
import { expect } from 'vitest'
import { vocabulary } from '../../src/graph/vocabulary.js'
import { deviceInfo, devices } from '../../src/runtime/devices.js'
import type { Case } from './cases/case.js'
import { batchOf, differenceOf, type Results } from './run_case.js'

export { batchOf, runCase, toleranceOf, type Results } from './run_case.js'

/** Why a device does not compute in a type; undefined where it does. */
export function missingType(device: string, dtype: string): string | undefined {
  if (device !== 'cpu' || dtype === 'f32') return undefined
  if (dtype !== 'bf16') return `the CPU does not compute in ${dtype}`
  return deviceInfo('cpu').bf16 ? undefined : 'this processor has no bf16 instructions (AVX512_BF16 or AMX)'
}

/** Every kind of device but the one that all others are compared with; of several GPUs the first. */
export const testedDevices = devices().filter(device => device !== 'reference' && !device.includes(':'))

/** Whether it can run in chunks of images. */
export const canBeCut = (each: Case): boolean => vocabulary[each.op].batch !== 'whole' && batchOf(each) > 1

/** Compares all results. Tolerance 0: equal numbers (0 and -0 are), NaN where there is NaN. */
export function expectResults(actual: Results, expected: Results, tolerance: number): void {
  const wrong = differenceOf(actual, expected, tolerance)
  if (wrong !== undefined) expect.fail(wrong)
}
