/**
 * The safetensors format: u64 length of the header, a JSON header {name: {dtype, shape, data_offsets}, __metadata__}, then the
 * tensors without gaps. Written as the reference implementation does: header padded with spaces to 8 bytes, tensors by type,
 * then by name.
 */
import { readFile } from 'node:fs/promises'
import { writeFileWhole } from '../runtime/durable_files.js'
import { InvalidArgument, Unsupported } from '../runtime/errors.js'

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array

export interface StoredTensor {
  shape: readonly number[]
  data: TensorData
}

export interface TensorFile {
  tensors: Map<string, StoredTensor>
  metadata: Record<string, string>
}

/** The order in which tensors lie in the file. */
const types = { I64: BigInt64Array, F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const
type Dtype = keyof typeof types
const dtypes = Object.keys(types) as Dtype[]
const dtypeOf = (data: TensorData): Dtype | undefined => dtypes.find(dtype => data instanceof types[dtype])

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** The file in parts: its header, then views of the tensors. */
export function safetensorsParts(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string')
      throw new InvalidArgument(`metadata must be texts, '${key}' is ${typeof value}: use JSON.stringify`)
  }
  const entries = [...tensors].map(([name, { shape, data }]) => ({
    name,
    dtype: checkedDtype(name, { shape, data }),
    shape,
    data,
  }))
  entries.sort((a, b) => dtypes.indexOf(a.dtype) - dtypes.indexOf(b.dtype) || (a.name < b.name ? -1 : 1))
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []
  const seen = new Set(['__metadata__'])
  let end = 0
  for (const { name, dtype, shape, data } of entries) {
    if (seen.has(name))
      throw new InvalidArgument(`tensor name '${name}' is ${name === '__metadata__' ? 'reserved' : 'there twice'}`)
    seen.add(name)
    header.push([name, { dtype, shape, data_offsets: [end, (end += data.byteLength)] }])
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)))
  const headerLength = Math.ceil(json.length / 8) * 8
  const head = new Uint8Array(8 + headerLength).fill(0x20, 8)
  new DataView(head.buffer).setBigUint64(0, BigInt(headerLength), true)
  head.set(json, 8)
  return [head, ...entries.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))]
}

function checkedDtype(name: string, { shape, data }: StoredTensor): Dtype {
  const dtype = dtypeOf(data)
  if (!dtype) throw new InvalidArgument(`tensor '${name}': data must be a ${dtypes.map(each => types[each].name).join(', ')}`)
  if (!shape.every(isSize) || elements(shape) !== data.length)
    throw new InvalidArgument(
      `tensor '${name}': shape [${shape.join(', ')}] has ${elements(shape)} elements, data has ${data.length}`,
    )
  return dtype
}

/** Reads what `encodeSafetensors` or any other writer made; `where` names the source in messages. Tensors may share memory with `bytes`. */
export function decodeSafetensors(bytes: Uint8Array, where: string): TensorFile {
  const damaged = (reason: string): never => {
    throw new InvalidArgument(`${where} is not a sound safetensors file: ${reason}`)
  }
  if (bytes.length < 8) damaged(`it has ${bytes.length} bytes, the header length alone takes 8`)
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const start = 8 + headerLength
  if (start > bytes.length)
    damaged(`its header should have ${headerLength} bytes, after the first 8 only ${bytes.length - 8} follow`)

  const { __metadata__: metadata = {}, ...header } = parseHeader(bytes.subarray(8, start), damaged)
  if (!isRecord(metadata) || !Object.values(metadata).every(value => typeof value === 'string'))
    return damaged('__metadata__ must map strings to strings')

  const entries = Object.entries(header).map(([name, entry]) => checkedEntry(name, entry, where, damaged))
  let end = 0
  for (const { name, begin, end: next } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== end)
      damaged(
        `tensor '${name}' begins at byte ${begin} of the data, ${begin < end ? 'inside the one before it' : 'after a gap'} (${end})`,
      )
    end = next
  }
  if (start + end !== bytes.length)
    damaged(`its tensors need ${end} bytes, ${bytes.length - start} are there${start + end > bytes.length ? ' (truncated)' : ''}`)
  const tensors = new Map(
    entries.map(({ name, dtype, shape, begin, end }) => [name, { shape, data: view(bytes, dtype, start + begin, start + end) }]),
  )
  return { tensors, metadata: metadata as Record<string, string> }
}

type Damaged = (reason: string) => never
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseHeader(json: Uint8Array, damaged: Damaged): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch (error) {
    return damaged(`its header is not JSON (${(error as Error).message})`)
  }
  return isRecord(header) ? header : damaged('its header is not a JSON object')
}

function checkedEntry(name: string, entry: unknown, where: string, damaged: Damaged) {
  if (!isRecord(entry)) return damaged(`the entry of tensor '${name}' is not an object`)
  const { dtype, shape, data_offsets: offsets } = entry
  if (!Array.isArray(shape) || !shape.every(isSize)) return damaged(`the shape of tensor '${name}' is not a list of sizes`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    return damaged(`the data_offsets of tensor '${name}' are not [begin, end]`)
  if (!dtypes.includes(dtype as Dtype))
    throw new Unsupported(
      `${where}: tensor '${name}' has dtype ${String(dtype)}; this package reads ${dtypes.join(', ')}: convert it first`,
    )
  const known = dtype as Dtype
  const [begin, end] = offsets as [number, number]
  const needed = elements(shape) * types[known].BYTES_PER_ELEMENT
  if (end - begin !== needed)
    return damaged(
      `tensor '${name}' (${known} [${shape.join(', ')}]) needs ${needed} bytes, its data_offsets span ${end - begin}`,
    )
  return { name, dtype: known, shape: shape, begin, end }
}

function view(bytes: Uint8Array, dtype: Dtype, begin: number, end: number): TensorData {
  const type = types[dtype]
  const aligned = (bytes.byteOffset + begin) % type.BYTES_PER_ELEMENT === 0
  const part = aligned ? bytes.subarray(begin, end) : Uint8Array.from(bytes.subarray(begin, end))
  return new type(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength / type.BYTES_PER_ELEMENT)
}

/** Writes a file that is either complete, on the disk and under its name, or as it was before: then it throws OutputError. */
export async function writeSafetensors(
  file: string,
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Record<string, string> = {},
): Promise<void> {
  await writeFileWhole(file, safetensorsParts(tensors, metadata))
}

/** Reads a whole file. Throws InvalidArgument for one that is missing or damaged, Unsupported for types such as BF16. */
export async function readSafetensors(file: string): Promise<TensorFile> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new InvalidArgument(`${file}: cannot be read (${(error as Error).message})`, { cause: error })
  })
  return decodeSafetensors(bytes, file)
}
