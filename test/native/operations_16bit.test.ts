/**
 * Every operation in bf16 and f16, on the reference and on every device that runs them, against the reference in f32 (that is, in
 * double) on the same inputs: numbers of the 16-bit type. Statistics, losses and weights stay f32.
 */
import { describe, expect, test } from 'vitest'
import { run, type RunOperationOptions } from '../../src/graph/run.js'
import { typedOperands } from '../../src/graph/typed_operands.js'
import { vocabulary } from '../../src/graph/vocabulary.js'
import type { Float16, HostTensor } from '../../src/runtime/dtype.js'
import { decodeFloat16, encodeFloat16 } from '../../src/runtime/float16.js'
import { inBothTypes, isTyped, narrowed, widened } from './both_types.js'
import type { Case } from './cases/case.js'
import { makeDraw } from './cases/draw.js'
import { cases } from './cases/index.js'
import { batchOf, canBeCut, expectResults, missingType, testedDevices, toleranceOf } from './helpers.js'

const types = ['bf16', 'f16'] as const
const devices = ['reference', ...testedDevices]
const ofTheLibrary = new Set(['conv2d', 'conv2dBwdData', 'conv2dBwdFilter'])
const typedCases = cases.filter(({ op }) => typedOperands[op] !== '')

test('every operation has operands of its type, or none on purpose', () => {
  const without = Object.entries(typedOperands).flatMap(([op, typed]) => (typed === '' ? [op] : []))
  expect(without).toEqual(['bnRunningUpdate', 'cast', 'emaUpdate'])
  expect(Object.keys(typedOperands)).toEqual(Object.keys(vocabulary))
})

describe.each(devices)('on %s', device => {
  describe.each(types)('in %s', dtype => {
    const missing = missingType(device, dtype)
    if (missing !== undefined) return test.skip(missing)
    test.each(typedCases)('$op: $name', each => compare(each, dtype, { device }))
    test('chunks of a filter gradient are summed in f32', () => chunksAreSummedInF32(device, dtype))
  })
})

async function compare(each: Case, dtype: Float16, options: RunOperationOptions) {
  for (const exact of [false, true]) {
    const { narrow, wide } = inBothTypes(each, dtype, makeDraw(1, exact))
    const expected = await run(each.op, wide.inputs, wide.attributes, { ...wide.options, device: 'reference' })
    const actual = await run(each.op, narrow.inputs, narrow.attributes, {
      ...narrow.options,
      ...options,
      checked: !each.nonFinite,
    })
    expect(Object.keys(actual)).toEqual(Object.keys(expected))
    const f32Tolerance = exact && each.exact !== false ? 0 : toleranceOf(each)
    for (const [name, tensor] of Object.entries(actual)) {
      expect(tensor.dtype, name).toBe(isTyped(each, name) ? dtype : undefined)
      if (tensor.dtype) expectRounded(name, tensor, expected[name]!, f32Tolerance, roundings(each, options))
      else expectResults({ [name]: tensor }, { [name]: expected[name]! }, f32Tolerance)
    }
    if (exact || !canBeCut(each)) continue
    const cut = await run(each.op, narrow.inputs, narrow.attributes, {
      ...narrow.options,
      ...options,
      chunk: Math.ceil(batchOf(each) / 2),
    })
    if (options.device === 'reference' || !ofTheLibrary.has(each.op)) expectResults(cut, actual, 0)
    else for (const [name, tensor] of Object.entries(cut)) expectRounded(name, tensor, expected[name]!, f32Tolerance, 3)
  }
}

/** Images whose gradients add up to a number that the type cannot count to. */
async function chunksAreSummedInF32(device: string, dtype: Float16) {
  const first = dtype === 'bf16' ? 256 : 2048 // in the type itself, first + 1 is first
  const data = Float32Array.from({ length: 65 }, (_, n) => (n === 0 ? first : 1))
  const dy = narrowed({ shape: [65, 1, 1, 1], data }, dtype)
  const x = narrowed({ shape: [65, 1, 1, 1], data: new Float32Array(65).fill(1) }, dtype)
  const attributes = { stride: [1, 1], pad: [0, 0, 0, 0], dilation: [1, 1], groups: 1 }
  const { dw } = await run('conv2dBwdFilter', { dy, x }, attributes, {
    device,
    chunk: 1,
    outputs: { dw: { shape: [1, 1, 1, 1] } },
  })
  expect([...widened(dw!).data]).toEqual([first + 64])
}

/** How often a result may have been rounded to the type: a library's convolution, and what was not fused with it. */
function roundings({ op }: Case, { device }: RunOperationOptions): number {
  return device !== 'reference' && (op === 'conv2d' || op === 'conv2dBwdData') ? 2 : 1
}

/**
 * Half the spacing of the type's numbers relative to the result, for every further rounding that of a partial result, which is about as
 * large as the largest; and what f32 arithmetic before the rounding may have moved. Tolerance 0: the right number, rounded once.
 */
function expectRounded(name: string, actual: HostTensor, expected: HostTensor, f32Tolerance: number, roundings: number): void {
  const dtype = actual.dtype!
  expect(actual.shape, `shape of ${name}`).toEqual(expected.shape)
  const [unit, smallest] = dtype === 'bf16' ? [2 ** -8, 2 ** -134] : [2 ** -11, 2 ** -25]
  const values = decodeFloat16(actual.data as Uint16Array, dtype)
  const exact = decodeFloat16(encodeFloat16(expected.data as Float32Array, dtype), dtype)
  const largest = (expected.data as Float32Array).reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    1,
  )
  // A partial result of small integers that the type cannot hold is rounded too.
  const holds = roundings === 1 || largest + 8 <= 1 / unit
  const wrong = values.findIndex((value, i) => {
    const wanted = expected.data[i]!
    if (value === exact[i] || (Number.isNaN(value) && Number.isNaN(wanted))) return false
    const allowed = unit * (Math.abs(wanted) + (roundings - 1) * largest) + f32Tolerance * largest + smallest
    return (f32Tolerance === 0 && holds) || !(Math.abs(value - wanted) <= allowed)
  })
  if (wrong !== -1)
    expect.fail(
      `${name}: element ${wrong} of [${expected.shape.join(', ')}] is ${values[wrong]}, not ${expected.data[wrong]}, in ${dtype} ${exact[wrong]}`,
    )
}
