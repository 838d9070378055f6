/** loadWeights: copies the tensors of a safetensors file into a model's parameters, and reports what fitted. */
import type { Parameter } from '../graph/parameter.js'
import { sameShape } from '../graph/tensor.js'
import { Module } from '../nn/module.js'
import { InvalidArgument } from '../runtime/errors.js'
import { requireBoolean, requireKnownOptions, requireOneOf } from '../runtime/options.js'
import { fromKCRS, shapeFrom, type FilterLayout } from './filter_layout.js'
import { loadHints } from './load_hints.js'
import { LoadReport, type ShapeMismatch } from './load_report.js'
import { readSafetensors, type StoredTensor, type TensorData, type TensorFile } from './safetensors.js'

/** Options of `loadWeights`. */
export interface LoadWeightsOptions {
  /** Refuse a file that does not fit the model in full; default true. False loads what fits and reports the rest. */
  strict?: boolean
  /** The parameter's name for a name in the file; undefined: the tensor is passed over. Default: the same name. */
  rename?: (name: string) => string | undefined
  /** How filters lie in the file. Default: what its metadata says under `layout`, or else PyTorch's 'KCRS'. */
  layout?: FilterLayout
}

const where = 'loadWeights'

/**
 * Copies the weights and running statistics of a safetensors file into the model, before it is compiled or trained. Files of
 * this package and of PyTorch (`safetensors.torch.save_file(model.state_dict(), …)`) are read; 4-d tensors are brought into
 * [K, R, S, C/groups], numbers of other types become f32, and PyTorch's `num_batches_tracked` is passed over. A linear layer
 * after Flatten sees [H, W, C] here and [C, H, W] in PyTorch: its columns are reordered where it has an `inputShape`.
 *
 * Throws InvalidArgument, and leaves the model as it was: for a file that is missing or damaged; with `strict`, where anything
 * is missing, unexpected or of another shape; without, where nothing fits at all.
 */
export async function loadWeights(model: Module, file: string, options: LoadWeightsOptions = {}): Promise<LoadReport> {
  if (!(model instanceof Module)) {
    throw new InvalidArgument(`${where}: the first argument must be a Module, such as one from models.create()`)
  }
  requireKnownOptions(where, options, ['strict', 'rename', 'layout'])
  const { strict = true, rename = (name: string) => name } = options
  requireBoolean(where, 'strict', strict)
  if (typeof rename !== 'function') {
    throw new InvalidArgument(`${where}: rename must be a function from a name in the file to a name in the model, or undefined`)
  }
  const content = await readSafetensors(file)
  const layout = layoutOf(content, file, options.layout)
  const parameters = model.stateDict()
  const offered = renamed(content, file, rename)

  const values = new Map<Parameter, Float32Array>()
  const loaded: string[] = []
  const missing: string[] = []
  const mismatched: ShapeMismatch[] = []
  for (const [name, parameter] of parameters) {
    const tensor = offered.get(name)
    if (!tensor) {
      missing.push(name)
      continue
    }
    const shape = shapeFrom(layout, tensor.shape)
    if (sameShape(shape, parameter.shape)) {
      const data = toFloat32(tensor.data)
      values.set(parameter, layout === 'KCRS' ? fromKCRS(parameter, data) : data)
      loaded.push(name)
    } else mismatched.push({ name, model: parameter.shape, file: shape })
  }
  const unexpected = [...offered].filter(([name]) => !parameters.has(name)).map(([, { from }]) => from)

  const report = new LoadReport(file, loaded, missing, unexpected, mismatched)
  const perfect = missing.length + unexpected.length + mismatched.length === 0
  if (loaded.length === 0 || (strict && !perfect)) {
    const other = layout === 'KRSC' ? 'KCRS' : 'KRSC'
    const fitsTurned = mismatched.every(({ name, model }) => sameShape(shapeFrom(other, offered.get(name)!.shape), model))
    throw new InvalidArgument(
      `${where}: the file does not fit the model; nothing was loaded.\n${report.toString()}\n` +
        loadHints(report, model, mismatched.length > 0 && fitsTurned ? other : undefined, strict).join('\n'),
    )
  }
  for (const [parameter, data] of values) parameter.assign(data)
  return report
}

function layoutOf({ metadata }: TensorFile, file: string, given: FilterLayout | undefined): FilterLayout {
  const layout = given ?? metadata.layout ?? 'KCRS'
  const source = given === undefined ? `${where}: the metadata of ${file}` : where
  requireOneOf(source, 'layout', layout, ['KRSC', 'KCRS'])
  return layout
}

interface Offered extends StoredTensor {
  /** Its name in the file. */
  readonly from: string
}

/** The file's tensors by the names they have in the model. */
function renamed({ tensors }: TensorFile, file: string, rename: (name: string) => string | undefined): Map<string, Offered> {
  const offered = new Map<string, Offered>()
  for (const [from, tensor] of tensors) {
    if (/(^|\.)num_batches_tracked$/.test(from)) continue
    const name = rename(from)
    if (name === undefined) continue
    const other = offered.get(name)
    if (other)
      throw new InvalidArgument(
        `${where}: rename gives '${name}' for both '${other.from}' and '${from}' of ${file}; names must differ`,
      )
    offered.set(name, { ...tensor, from })
  }
  return offered
}

function toFloat32(data: TensorData): Float32Array {
  if (data instanceof Float32Array) return data
  return data instanceof BigInt64Array ? Float32Array.from(data, Number) : Float32Array.from(data)
}
