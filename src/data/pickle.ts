/**
 * Reader of Python pickles, protocols 2 to 4, that makes arrays, strings, numbers, lists and dictionaries and nothing else: a pickle
 * is a program, and every instruction or function that would do more is refused. The one exception is numpy's way to rebuild an array
 * of bytes. Opcodes: CPython's Lib/pickletools.py.
 */
import { InvalidArgument } from '../runtime/errors.js'

/** An array of bytes, in row-major order. */
export class ByteArray {
  shape: readonly number[] = [0]
  data: Uint8Array = new Uint8Array(0)
}

/** What a pickle may hold. Bytes, and strings of Python 2, are Uint8Array; tuples are lists; keys of dictionaries are text. */
export type PickleValue =
  null | boolean | number | string | Uint8Array | ByteArray | readonly PickleValue[] | ReadonlyMap<string, PickleValue>

const dtype = Symbol('numpy.dtype of bytes')
const globals = new Map<string, symbol>([
  ['numpy.core.multiarray _reconstruct', Symbol('_reconstruct')],
  ['numpy._core.multiarray _reconstruct', Symbol('_reconstruct')],
  ['numpy ndarray', Symbol('ndarray')],
  ['numpy dtype', Symbol('dtype')],
])

const mark = Symbol('mark')
type Item = PickleValue | symbol

/** Reads the one value of a pickle. Throws InvalidArgument that names `file`, the offset and what is wrong or refused there. */
export function readPickle(bytes: Uint8Array, file: string): PickleValue {
  return new Unpickler(bytes, file).run()
}

class Unpickler {
  #at = 0
  /** Where the current instruction begins. */
  #start = 0
  readonly #stack: Item[] = []
  readonly #memo = new Map<number, Item>()
  readonly #view: DataView

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): PickleValue {
    if (this.bytes[0] !== 0x80) this.#fail(`is no pickle of protocol 2 to 4: these begin with byte 0x80`)
    for (;;) {
      this.#start = this.#at
      const code = this.#take(1)[0]!
      if (code === 0x2e) return this.#value(this.#pop())
      const instruction = instructions.get(code)
      if (!instruction) this.#fail(`${nameOf(code)} is refused: only arrays, strings, numbers, lists and dictionaries are read`)
      this.#instructions[instruction]()
    }
  }

  readonly #instructions: Readonly<Record<Instruction, () => void>> = {
    protocol: () => {
      const version = this.#uint(1)
      if (version < 2 || version > 4) this.#fail(`protocol ${version} is not read, only 2 to 4`)
    },
    frame: () => void this.#take(8),
    mark: () => this.#stack.push(mark),
    pop: () => void this.#pop(),
    none: () => this.#stack.push(null),
    true: () => this.#stack.push(true),
    false: () => this.#stack.push(false),
    int: () => this.#stack.push(this.#viewed(4).getInt32(0, true)),
    int1: () => this.#stack.push(this.#uint(1)),
    int2: () => this.#stack.push(this.#uint(2)),
    long1: () => this.#stack.push(this.#long(this.#uint(1))),
    float: () => this.#stack.push(this.#viewed(8).getFloat64(0, false)),
    bytes1: () => this.#stack.push(this.#take(this.#uint(1))),
    bytes4: () => this.#stack.push(this.#take(this.#uint(4))),
    bytes8: () => this.#stack.push(this.#take(this.#uint(8))),
    text1: () => this.#stack.push(this.#text(this.#uint(1))),
    text4: () => this.#stack.push(this.#text(this.#uint(4))),
    text8: () => this.#stack.push(this.#text(this.#uint(8))),
    emptyList: () => this.#stack.push([]),
    emptyDict: () => this.#stack.push(new Map()),
    tuple0: () => this.#stack.push([]),
    tuple1: () => this.#stack.push(this.#popMany(1)),
    tuple2: () => this.#stack.push(this.#popMany(2)),
    tuple3: () => this.#stack.push(this.#popMany(3)),
    tuple: () => this.#stack.push(this.#popToMark()),
    append: () => {
      const [item] = this.#popMany(1)
      this.#list().push(item!)
    },
    appends: () => {
      const items = this.#popToMark()
      const list = this.#list()
      for (const item of items) list.push(item)
    },
    setItem: () => {
      const items = this.#popMany(2)
      this.#setItems(items)
    },
    setItems: () => this.#setItems(this.#popToMark()),
    put1: () => this.#memo.set(this.#uint(1), this.#top()),
    put4: () => this.#memo.set(this.#uint(4), this.#top()),
    memoize: () => this.#memo.set(this.#memo.size, this.#top()),
    get1: () => this.#stack.push(this.#remembered(this.#uint(1))),
    get4: () => this.#stack.push(this.#remembered(this.#uint(4))),
    global: () => this.#global(this.#line(), this.#line()),
    stackGlobal: () => {
      const [module, name] = this.#popMany(2)
      if (typeof module !== 'string' || typeof name !== 'string') this.#fail('a function without a name: damaged')
      this.#global(module, name)
    },
    reduce: () => this.#reduce(),
    build: () => this.#build(),
  }

  #fail(reason: string): never {
    throw new InvalidArgument(`${this.file}: offset ${this.#start}: ${reason}`)
  }

  #take(count: number): Uint8Array {
    if (count > this.bytes.length - this.#at)
      this.#fail(`the pickle ends at byte ${this.bytes.length}, within an instruction that needs ${count} more: truncated`)
    this.#at += count
    return this.bytes.subarray(this.#at - count, this.#at)
  }

  #viewed(count: number): DataView {
    const { byteOffset } = this.#take(count)
    return new DataView(this.#view.buffer, byteOffset, count)
  }

  /** Little-endian. */
  #uint(count: number): number {
    return this.#take(count).reduceRight((value, byte) => 256 * value + byte, 0)
  }

  /** Two's complement of `count` bytes, as long as it is an integer that a number holds. */
  #long(count: number): number {
    if (count > 8) this.#fail(`an integer of ${count} bytes is refused`)
    const digits = this.#take(count).reduceRight((value, byte) => 256n * value + BigInt(byte), 0n)
    const value = Number(BigInt.asIntN(8 * count, digits))
    return Number.isSafeInteger(value) ? value : this.#fail(`an integer beyond 2^53 is refused`)
  }

  #text(count: number): string {
    return Buffer.from(this.#take(count)).toString('utf8')
  }

  #line(): string {
    const end = this.bytes.indexOf(0x0a, this.#at)
    if (end < 0 || end - this.#at > 200) this.#fail('the name of a function does not end')
    const text = Buffer.from(this.#take(end - this.#at)).toString('latin1')
    this.#at += 1
    return text
  }

  #pop(): Item {
    if (this.#stack.length === 0) this.#fail('the stack is empty: damaged')
    return this.#stack.pop()!
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) this.#fail('the stack is empty: damaged')
    return this.#stack.splice(-count) as PickleValue[]
  }

  #popToMark(): PickleValue[] {
    const from = this.#stack.lastIndexOf(mark)
    if (from < 0) this.#fail('the stack has no mark: damaged')
    return this.#stack.splice(from).slice(1) as PickleValue[]
  }

  #top(): Item {
    return this.#stack.length > 0 ? this.#stack.at(-1)! : this.#fail('the stack is empty: damaged')
  }

  #list(): PickleValue[] {
    const list = this.#top()
    return Array.isArray(list) ? (list as PickleValue[]) : this.#fail('an element is added to what is no list: damaged')
  }

  #remembered(index: number): Item {
    return this.#memo.has(index) ? this.#memo.get(index)! : this.#fail(`nothing was kept under number ${index}: damaged`)
  }

  #setItems(items: readonly Item[]): void {
    const dictionary = this.#top()
    if (!(dictionary instanceof Map) || items.length % 2 !== 0) this.#fail('an item is set in what is no dictionary: damaged')
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i] instanceof Uint8Array ? Buffer.from(items[i] as Uint8Array).toString('latin1') : items[i]
      if (typeof key !== 'string') this.#fail('a key of a dictionary is no string')
      ;(dictionary as Map<string, Item>).set(key, items[i + 1]!)
    }
  }

  #global(module: string, name: string): void {
    this.#stack.push(
      globals.get(`${module} ${name}`) ?? this.#fail(`${module}.${name} is refused: only numpy's arrays are rebuilt`),
    )
  }

  /** `_reconstruct(ndarray, (0,), b'b')` and `dtype('u1', …)`. */
  #reduce(): void {
    const [made, given] = this.#popMany(2) as Item[]
    const first = Array.isArray(given) ? (given[0] as Item) : undefined
    if (typeof made === 'symbol' && made.description === '_reconstruct' && first === globals.get('numpy ndarray'))
      return void this.#stack.push(new ByteArray())
    if (made !== globals.get('numpy dtype')) this.#fail("a call of anything but numpy's array reconstruction is refused")
    const type = first instanceof Uint8Array ? Buffer.from(first).toString('latin1') : typeof first === 'string' ? first : ''
    if (type !== 'u1') this.#fail(`an array of type '${type}' is refused: only bytes ('u1') are read`)
    this.#stack.push(dtype)
  }

  /** Of an array: (version, shape, dtype, whether column-major, bytes). */
  #build(): void {
    const [made, state] = this.#popMany(2) as Item[]
    if (made === dtype) return void this.#stack.push(dtype)
    if (!(made instanceof ByteArray) || !Array.isArray(state)) this.#fail("a state of anything but numpy's arrays is refused")
    const [, shape, type, columnMajor, data] = state as Item[]
    if (!Array.isArray(shape) || !shape.every(size => Number.isSafeInteger(size) && (size as number) >= 0) || type !== dtype)
      this.#fail('an array without shape and type: damaged')
    if (columnMajor !== false) this.#fail('an array in column-major order is refused')
    const expected = (shape as number[]).reduce((product, size) => product * size, 1)
    if (!(data instanceof Uint8Array) || data.length !== expected)
      this.#fail(`an array of shape ${(shape as number[]).join('x')} without its ${expected} bytes: damaged`)
    this.#stack.push(Object.assign(made, { shape, data }))
  }

  #value(item: Item): PickleValue {
    return typeof item === 'symbol' ? this.#fail('the pickle holds no value: damaged') : item
  }
}

const codes = {
  protocol: 0x80, frame: 0x95, mark: 0x28, pop: 0x30, none: 0x4e, true: 0x88, false: 0x89, int: 0x4a, int1: 0x4b, int2: 0x4d,
  long1: 0x8a, float: 0x47, emptyList: 0x5d, emptyDict: 0x7d, tuple0: 0x29, tuple1: 0x85, tuple2: 0x86, tuple3: 0x87, tuple: 0x74,
  append: 0x61, appends: 0x65, setItem: 0x73, setItems: 0x75, put1: 0x71, put4: 0x72, memoize: 0x94, get1: 0x68, get4: 0x6a,
  global: 0x63, stackGlobal: 0x93, reduce: 0x52, build: 0x62, bytes8: 0x8e, text1: 0x8c, text4: 0x58, text8: 0x8d,
  bytes1: [0x43, 0x55], bytes4: [0x42, 0x54],
} as const // prettier-ignore

type Instruction = keyof typeof codes
const instructions = new Map(
  (Object.entries(codes) as [Instruction, number | readonly number[]][]).flatMap(([name, code]) =>
    [code].flat().map(each => [each, name] as const),
  ),
)

const nameOf = (code: number): string =>
  `opcode 0x${code.toString(16).padStart(2, '0')}${code > 0x20 && code < 0x7f ? ` ('${String.fromCharCode(code)}')` : ''}`
