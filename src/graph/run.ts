/** run(): one operation of the vocabulary, through the same path as whole models. */
import {
  arrayClasses,
  dtypeOf,
  isHostArray,
  kindOf,
  type DType,
  type HostArray,
  type HostTensor,
  type Shape,
} from '../runtime/dtype.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireOneOf, requireShape } from '../runtime/options.js'
import { Plan } from '../runtime/plan.js'
import { Store } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { didYouMean } from '../runtime/suggest.js'
import { Graph, type Attributes } from './graph.js'
import { outputTypes } from './rules/index.js'
import { serialise } from './serialise.js'
import type { Tensor } from './tensor.js'
import { operandNames, vocabulary, type OpName } from './vocabulary.js'

export interface RunOperationOptions {
  /** 'cpu' (default) or 'reference'. */
  device?: string
  /**
   * Types of outputs whose shape does not follow from the inputs (most backward operations), and of optional ones wanted.
   * dtype: default f32.
   */
  outputs?: Readonly<Record<string, { shape: Shape; dtype?: DType }>>
  /** Key of the random numbers (dropout): an integer of at least 0, default 0. */
  seed?: number
  /** Number of the training step, for random numbers and AdamW's bias correction: an integer of at least 0, default 0. */
  step?: number
  /** Of each parameter group, for sgdUpdate and adamwUpdate. Default: none. */
  learningRates?: readonly number[]
  /** Run in chunks of so many images; only operations that go through the batch image by image (map and reduce). */
  chunk?: number
  /** Guards around every buffer, and every output must be finite. Default false. */
  checked?: boolean
}

/**
 * Runs one operation (docs/vocabulary.md) on host arrays and resolves with its outputs by operand name.
 * Attributes must all be given, as the vocabulary lists them. Rejects with InvalidArgument for operands, attributes and
 * options that do not fit the operation.
 */
export async function run(
  op: OpName,
  inputs: Readonly<Record<string, HostTensor>>,
  attributes: Attributes = {},
  options: RunOperationOptions = {},
): Promise<Readonly<Record<string, HostTensor>>> {
  requireKnownOptions('run', options, ['device', 'outputs', 'seed', 'step', 'learningRates', 'chunk', 'checked'])
  const { device = 'cpu', outputs = {}, seed = 0, step = 0, learningRates = [], chunk, checked = false } = options
  if (!Object.hasOwn(vocabulary, op)) {
    throw new InvalidArgument(`unknown operation '${op}'.${didYouMean(op, Object.keys(vocabulary))}`)
  }
  checkAttributes(op, attributes)
  checkInputs(op, inputs)
  checkOutputs(op, outputs)
  checkChunk(op, chunk)
  requireBoolean('run', 'checked', checked)

  const graph = new Graph()
  const reads: Record<string, Tensor> = {}
  for (const [name, { shape, data }] of Object.entries(inputs)) {
    // Operands that the operation updates in place live in memory of their own; so does everything else here.
    reads[name] = graph.source({ dtype: dtypeOf(data), shape }, name, { kind: 'input', name })
  }
  const given = Object.fromEntries(Object.entries(outputs).map(([name, { shape, dtype = 'f32' }]) => [name, { shape, dtype }]))
  const written = graph.add(op, op, reads, attributes, outputTypes({ op, name: op, reads, attributes }, given))
  for (const [name, tensor] of Object.entries(written)) graph.outputs.set(name, tensor)

  using store = await Store.create(device, {})
  const layout = new StoreLayout([])
  const regions = chunk === undefined ? [] : [{ begin: 0, end: 1, chunk }]
  const desc = serialise(graph, { device, checked, layout, parameters: 'weights', regions, wholeStep: new Set() })
  using plan = await Plan.create(desc, store)
  const arrays: Record<string, HostArray> = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]))
  const result = await plan.run([arrays], { seed, step, learningRates })
  return result.outputs
}

function checkAttributes(op: OpName, attributes: Attributes): void {
  const known = operandNames(vocabulary[op].attributes)
  requireObject(`${op}: the attributes`, attributes, 'of values by name')
  for (const [name, value] of Object.entries(attributes) as [string, unknown][]) {
    if (!known.includes(name)) {
      throw new InvalidArgument(
        `${op} has no attribute '${name}': it has ${known.join(', ') || 'none'}.${didYouMean(name, known)}`,
      )
    }
    const numbers = Array.isArray(value) && value.every(item => typeof item === 'number')
    if (typeof value !== 'number' && typeof value !== 'string' && !numbers) {
      throw new InvalidArgument(
        `${op}: the attribute '${name}' must be a number, a string or a list of numbers, got ${kindOf(value)}`,
      )
    }
  }
  for (const name of known) if (!(name in attributes)) throw new InvalidArgument(`${op}: the attribute '${name}' is missing`)
}

function checkInputs(op: OpName, inputs: Readonly<Record<string, HostTensor>>): void {
  const list = vocabulary[op].reads
  const known = operandNames(list)
  requireObject(`${op}: the inputs`, inputs, 'of tensors { shape, data } by name')
  for (const [name, tensor] of Object.entries(inputs)) {
    if (!list.endsWith('*') && !known.includes(name)) {
      throw new InvalidArgument(`${op} reads no '${name}': it reads ${list || 'nothing'}.${didYouMean(name, known)}`)
    }
    checkTensor(op, name, tensor)
  }
  if (list.endsWith('*') && Object.keys(inputs).length === 0) throw new InvalidArgument(`${op} needs at least one input`)
  for (const name of list.split(' ').filter(operand => /\w$/.test(operand))) {
    if (!(name in inputs)) throw new InvalidArgument(`${op}: the operand '${name}' is missing`)
  }
}

function checkTensor(op: OpName, name: string, tensor: HostTensor): void {
  requireObject(`${op}: '${name}'`, tensor, '{ shape, data }')
  const { shape, data } = tensor
  if (!isHostArray(data)) {
    throw new InvalidArgument(`${op}: '${name}' must be a Float32Array, Int32Array or Uint8Array, got ${kindOf(data)}`)
  }
  requireShape(`${op}: '${name}'`, shape)
  if (shape.reduce((product, dim) => product * dim, 1) !== data.length) {
    throw new InvalidArgument(`${op}: '${name}' has ${data.length} elements, but its shape is [${shape.join(', ')}]`)
  }
}

function checkOutputs(op: OpName, outputs: NonNullable<RunOperationOptions['outputs']>): void {
  const { reads, writes } = vocabulary[op]
  const known = operandNames(writes)
  requireObject(`${op}: outputs`, outputs, 'of types { shape, dtype } by name')
  for (const [name, type] of Object.entries(outputs)) {
    if (!known.includes(name)) {
      throw new InvalidArgument(`${op} writes no '${name}': it writes ${writes}.${didYouMean(name, known)}`)
    }
    if (operandNames(reads).includes(name)) {
      throw new InvalidArgument(
        `${op} updates '${name}' in place, so the output has the type of the input: leave '${name}' out of outputs`,
      )
    }
    const where = `${op}: the output '${name}'`
    requireKnownOptions(where, type, ['shape', 'dtype'])
    requireShape(where, type.shape)
    if (type.dtype !== undefined) requireOneOf(where, 'dtype', type.dtype, Object.keys(arrayClasses))
  }
}

function checkChunk(op: OpName, chunk: number | undefined): void {
  if (chunk === undefined) return
  requireInteger('run', 'chunk', chunk, 1)
  if (vocabulary[op].batch === 'whole') {
    throw new InvalidArgument(`run: ${op} works on the whole batch at once and cannot run in chunks: leave out chunk`)
  }
}

/** `form` says what the object holds. */
function requireObject(what: string, value: unknown, form: string): void {
  if (typeof value !== 'object' || value === null) {
    throw new InvalidArgument(`${what} must be an object ${form}, got ${kindOf(value)}`)
  }
}
