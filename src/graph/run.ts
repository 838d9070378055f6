/** run(): one operation of the vocabulary, through the same path as whole models. */
import {
  arrayClasses,
  dtypeOf,
  isFloat16,
  isHostArray,
  kindOf,
  type DType,
  type HostArray,
  type HostTensor,
} from '../runtime/dtype.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireInteger, requireKnownOptions, requireOneOf, requireShape } from '../runtime/options.js'
import { Plan } from '../runtime/plan.js'
import { checkEngineOptions, engineOptionNames, policyOf, type EngineOptions } from '../runtime/policy.js'
import { Store } from '../runtime/store.js'
import { StoreLayout } from '../runtime/store_layout.js'
import { didYouMean } from '../runtime/suggest.js'
import { Graph, type Attributes } from './graph.js'
import { checkDisabledPasses, type PassName } from './passes/optional.js'
import { outputTypes } from './rules/index.js'
import { serialise } from './serialise.js'
import type { InputType } from './session.js'
import type { Tensor, TensorType } from './tensor.js'
import { typedOperands } from './typed_operands.js'
import { operandNames, vocabulary, type OpName } from './vocabulary.js'

/** Options of `run`. */
export interface RunOperationOptions extends EngineOptions {
  /** 'cpu' (default) or 'reference'. */
  device?: string
  /**
   * Types of outputs whose shape does not follow from the inputs (most backward operations), and of optional ones wanted.
   */
  outputs?: Readonly<Record<string, InputType>>
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
  /** As of compile; of one operation only 'own-convolutions' means something. Default: none. */
  disabledPasses?: readonly PassName[]
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
  const known = ['device', 'outputs', 'seed', 'step', 'learningRates', 'chunk', 'checked', 'disabledPasses', ...engineOptionNames]
  requireKnownOptions('run', options, known)
  const { device = 'cpu', outputs = {}, seed = 0, step = 0, learningRates = [], chunk, checked = false } = options
  const { disabledPasses = [] } = options
  if (!Object.hasOwn(vocabulary, op)) {
    throw new InvalidArgument(`unknown operation '${op}'.${didYouMean(op, Object.keys(vocabulary))}`)
  }
  checkAttributes(op, attributes)
  checkInputs(op, inputs)
  checkOutputs(op, outputs)
  checkChunk(op, chunk)
  requireBoolean('run', 'checked', checked)
  checkDisabledPasses('run', disabledPasses)
  checkEngineOptions('run', options)

  const graph = new Graph()
  const reads: Record<string, Tensor> = {}
  for (const [name, tensor] of Object.entries(inputs)) {
    // Operands that the operation updates in place live in memory of their own; so does everything else here.
    reads[name] = graph.source({ dtype: dtypeOf(tensor.data, tensor.dtype), shape: tensor.shape }, name, { kind: 'input', name })
  }
  const written = graph.add(op, op, reads, attributes, typesOfOutputs(op, reads, attributes, outputs))
  for (const [name, tensor] of Object.entries(written)) graph.outputs.set(name, tensor)

  using store = await Store.create(device, {})
  const layout = new StoreLayout([])
  const regions = chunk === undefined ? [] : [{ begin: 0, end: 1, chunk }]
  const plain = { parameters: 'weights', wholeStep: new Set<Tensor>() } as const
  const policy = policyOf(options, { ownConvolutions: !disabledPasses.includes('own-convolutions') })
  const desc = serialise(graph, { ...plain, device, checked, policy, layout, regions })
  using plan = await Plan.create(desc, store, options.onPrepare)
  const arrays: Record<string, HostArray> = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]))
  const result = await plan.run([arrays], { seed, step, learningRates })
  return result.outputs
}

/** Outputs that share the operation's type have that of its inputs; what `outputs` says of a type stands. */
function typesOfOutputs(
  op: OpName,
  reads: Readonly<Record<string, Tensor>>,
  attributes: Attributes,
  outputs: Readonly<Record<string, InputType>>,
): Record<string, TensorType> {
  const typed = operandNames(typedOperands[op])
  const [, first] = Object.entries(reads).find(([name]) => typed.includes(name) || vocabulary[op].reads.endsWith('*')) ?? []
  const dtype: DType = first && isFloat16(first.dtype) ? first.dtype : 'f32'
  const own = (name: string): DType => (typed.includes(name) ? dtype : 'f32')
  const given = Object.fromEntries(
    Object.entries(outputs).map(([name, t]) => [name, { shape: t.shape, dtype: t.dtype ?? own(name) }]),
  )
  const types = outputTypes({ op, name: op, reads, attributes }, given)
  const derived = Object.entries(types).filter(([name]) => !(name in given) && typed.includes(name))
  return { ...types, ...Object.fromEntries(derived.map(([name, { shape }]) => [name, { shape, dtype }])) }
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
  const { shape, data, dtype } = tensor
  if (!isHostArray(data)) {
    throw new InvalidArgument(
      `${op}: '${name}' must be a Float32Array, Int32Array, Uint8Array or Uint16Array, got ${kindOf(data)}`,
    )
  }
  if (data instanceof Uint16Array) requireOneOf(`${op}: '${name}', a Uint16Array`, 'dtype', dtype, ['bf16', 'f16'])
  else if (dtype !== undefined && dtype !== dtypeOf(data)) {
    throw new InvalidArgument(`${op}: '${name}' is a ${kindOf(data)} and cannot be ${dtype}: give its codes in a Uint16Array`)
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
