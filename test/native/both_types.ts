/** Cases and tensors in a 16-bit type, and in f32 with the same numbers. */
import { typedOperands } from '../../src/graph/typed_operands.js'
import { operandNames, vocabulary } from '../../src/graph/vocabulary.js'
import type { Float16, HostTensor } from '../../src/runtime/dtype.js'
import { decodeFloat16, encodeFloat16 } from '../../src/runtime/float16.js'
import type { Case } from './cases/case.js'
import type { Draw } from './cases/draw.js'

/** A case with its typed operands in a 16-bit type, and in f32 with the same numbers. */
export function inBothTypes(each: Case, dtype: Float16, draw: Draw) {
  const { inputs, attributes, outputs = {}, ...rest } = each.make(draw)
  const narrow = mapValues(inputs, (tensor, name) => (isTyped(each, name) ? narrowed(tensor, dtype) : tensor))
  const types = mapValues(outputs, (type, name) => (isTyped(each, name) ? { ...type, dtype } : type))
  return {
    narrow: { inputs: narrow, attributes, options: { ...rest, outputs: types } },
    wide: { inputs: mapValues(narrow, widened), attributes, options: { ...rest, outputs } },
  }
}

export const isTyped = ({ op }: Case, name: string) =>
  operandNames(typedOperands[op]).includes(name) || vocabulary[op].reads === 'x*'

export const narrowed = ({ shape, data }: HostTensor, dtype: Float16): HostTensor => ({
  shape,
  data: encodeFloat16(data as Float32Array, dtype),
  dtype,
})

export const widened = (tensor: HostTensor): HostTensor =>
  tensor.dtype ? { shape: tensor.shape, data: decodeFloat16(tensor.data as Uint16Array, tensor.dtype) } : tensor

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
}
